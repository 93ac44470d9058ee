import { setTimeout as sleep } from 'node:timers/promises';
import { waitUntil } from '../wait.js';
import { type Http2Answer, Http2Failure, Http2Pool, type Http2Target } from './pool.js';

/** How one client behaves. */
interface Kind {
  /** Requests that it sends at the same time. */
  readonly together: () => number;
  /** Milliseconds until it sends more, counted from the last answer. */
  readonly pause: () => number;
  /** Whether each request has a connection of its own. */
  readonly fresh?: boolean;
  readonly path?: string;
}

const BURST = 10;
const between = (least: number, most: number): number => least + Math.random() * (most - least);

export const KINDS = {
  /** One request after the other. */
  busy: { together: () => 1, pause: () => 0 },
  /** As a page, or a gateway: some requests at once, then a pause. */
  bursty: { together: () => 1 + Math.floor(Math.random() * BURST), pause: () => between(20, 400) },
  thinking: { together: () => 1, pause: () => between(0, 40) },
  'slow answers': { together: () => 1, pause: () => 0, path: '/?ms=150' },
  'new connections': { together: () => 1, pause: () => 0, fresh: true },
} satisfies Record<string, Kind>;

export interface Http2LoadOptions {
  readonly kind: keyof typeof KINDS;
  /** Sessions. */
  readonly clients: number;
  /** Independent loops on each session. Default 1. */
  readonly loops?: number;
  /** Whether a request that the server has refused is sent once more. */
  readonly retries: boolean;
}

/** HTTP/2 clients that send requests until stop(). */
export class Http2Load {
  answered = 0;
  /** Requests that the server did not look at. */
  refused = 0;
  /** Requests without an answer, the one that was sent again too. */
  readonly lost: string[] = [];
  readonly pids = new Map<number, number>();
  /** Milliseconds. */
  longestWait = 0;
  readonly options: Http2LoadOptions;
  readonly #kind: Kind;
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(target: Http2Target, options: Http2LoadOptions) {
    this.options = options;
    this.#kind = KINDS[options.kind];
    const { clients, loops = 1 } = options;
    const pools = Array.from({ length: clients }, () => new Http2Pool(target));
    this.#running = Promise.all(
      pools.map(async (pool) => {
        await Promise.all(Array.from({ length: loops }, () => this.#loop(pool)));
        pool.destroy();
      }),
    );
  }

  get sent(): number {
    return this.answered + this.lost.length;
  }

  async answeredBy(pid: number, answers: number): Promise<void> {
    await waitUntil(
      `${answers} answers of ${pid} to ${this.options.kind}`,
      () => (this.pids.get(pid) ?? 0) >= answers,
      () => this.lost.join('\n'),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #loop(pool: Http2Pool): Promise<void> {
    await sleep(this.#kind.pause() * Math.random());
    while (!this.#stopped) {
      await Promise.all(Array.from({ length: this.#kind.together() }, () => this.#send(pool)));
      if (this.#kind.fresh === true) pool.leave();
      const pause = this.#kind.pause();
      if (pause > 0) await sleep(pause);
    }
  }

  async #send(pool: Http2Pool): Promise<void> {
    const begin = performance.now();
    try {
      const { pid } = await this.#sendTwice(pool);
      this.answered += 1;
      this.pids.set(pid, (this.pids.get(pid) ?? 0) + 1);
    } catch (error) {
      this.lost.push(String(error));
    }
    this.longestWait = Math.max(this.longestWait, performance.now() - begin);
  }

  async #sendTwice(pool: Http2Pool): Promise<Http2Answer> {
    const { path = '/' } = this.#kind;
    try {
      return await pool.request(path);
    } catch (error) {
      if (!(error instanceof Http2Failure) || !error.refused) throw error;
      this.refused += 1;
      if (!this.options.retries) throw error;
      return pool.request(path);
    }
  }
}
