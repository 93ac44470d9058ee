import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** A request that got no whole answer. */
export interface Lost {
  readonly at: number;
  readonly client: string;
  readonly error: string;
}

const KINDS = [
  { name: 'keep-alive', path: '/', keepAlive: true, think: 20, upload: 0 },
  { name: 'keep-alive, mostly idle', path: '/', keepAlive: true, think: 700, upload: 0 },
  { name: 'a connection a request', path: '/', keepAlive: false, think: 30, upload: 0 },
  { name: 'slow answers', path: '/?ms=300', keepAlive: true, think: 10, upload: 0 },
  { name: 'large answers', path: '/large', keepAlive: true, think: 60, upload: 0 },
  { name: 'uploads in pieces', path: '/', keepAlive: true, think: 20, upload: 5 },
] as const;
type Kind = (typeof KINDS)[number];

const ANSWER_WITHIN_MS = 10_000;

/** Clients of several kinds that never retry: what fails is lost. */
export class Clients {
  readonly lost: Lost[] = [];
  answered = 0;
  longestMs = 0;
  /** New connections are refused while this is set, as the service has stopped. */
  stopping = false;
  #ended = false;
  #paused = false;
  #idle = 0;
  readonly #running: Promise<unknown>;
  readonly #count: number;

  constructor(targets: readonly http.RequestOptions[], ofEachKind: number) {
    const clients = targets.flatMap((target) => KINDS.flatMap((kind) => Array.from({ length: ofEachKind }, () => this.#run(target, kind))));
    this.#count = clients.length;
    this.#running = Promise.all(clients);
  }

  get count(): number {
    return this.#count;
  }

  /** Fulfils when no request is under way; none begins until {@link resume}. */
  async pause(): Promise<void> {
    this.#paused = true;
    while (this.#idle < this.#count) await sleep(5);
  }

  resume(): void {
    this.#paused = false;
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #run(target: http.RequestOptions, kind: Kind): Promise<void> {
    const agent = new http.Agent({ keepAlive: kind.keepAlive, maxSockets: 1 });
    while (!this.#ended) {
      if (this.#paused) {
        this.#idle += 1;
        while (this.#paused && !this.#ended) await sleep(5);
        this.#idle -= 1;
        continue;
      }
      const begin = performance.now();
      try {
        await exchange({ ...target, agent, path: kind.path, method: kind.upload > 0 ? 'POST' : 'GET' }, kind.upload);
        this.answered += 1;
        this.longestMs = Math.max(this.longestMs, performance.now() - begin);
      } catch (error) {
        if (this.stopping && foundNobody(error as NodeJS.ErrnoException)) break;
        const { reusedSocket = false } = error as { reusedSocket?: boolean };
        const where = `${target.socketPath === undefined ? 'TCP' : 'unix'}, ${reusedSocket ? 'a used' : 'a new'} connection`;
        this.lost.push({ at: performance.now(), client: `${kind.name} (${where})`, error: String(error) });
        await sleep(50);
      }
      await sleep(Math.random() * 2 * kind.think);
    }
    this.#idle += 1;
    agent.destroy();
  }
}

/** No connection came about. The kernel resets one whose handshake is under way when the last socket is closed; a moment later it refuses it. */
function foundNobody({ code = '', syscall }: NodeJS.ErrnoException): boolean {
  return ['ECONNREFUSED', 'ENOENT'].includes(code) || (code === 'ECONNRESET' && syscall === 'connect');
}

/** One request with its whole answer; returns the pid of the process that gave it. */
export function exchange(options: http.RequestOptions, pieces = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...options, timeout: ANSWER_WITHIN_MS });
    request.on('timeout', () => request.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS} ms`)));
    request.on('error', (error) => reject(Object.assign(error, { reusedSocket: request.reusedSocket })));
    request.on('response', (response) => {
      response.on('error', reject);
      response.on('close', () => {
        if (response.complete) resolve(Number(response.headers['x-pid']));
        else reject(new Error('the answer was cut off'));
      });
      response.resume();
    });
    const send = async (): Promise<void> => {
      for (let piece = 0; piece < pieces && !request.destroyed; piece += 1) {
        request.write(Buffer.alloc(2_000));
        await sleep(Math.random() * 40);
      }
      request.end();
    };
    void send();
  });
}
