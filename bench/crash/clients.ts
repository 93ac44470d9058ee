import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const AFTER_FAILURE_MS = 5;
/** A request without an answer for this time is lost. */
export const GIVE_UP_MS = 2_000;

/** Clients that ask without a pause and never retry; every second one opens a connection for each request. */
export class Clients {
  answered = 0;
  lost = 0;
  /** When each process answered last, in milliseconds. */
  readonly answeredBy = new Map<number, number>();
  readonly #running: Promise<unknown>;
  #stopped = false;

  constructor(port: number, count: number) {
    this.#running = Promise.all(Array.from({ length: count }, (_, index) => this.#ask(port, index % 2 === 0)));
  }

  /** The processes that have answered within these milliseconds. */
  serving(within: number): number[] {
    const since = performance.now() - within;
    return [...this.answeredBy].filter(([, at]) => at >= since).map(([pid]) => pid);
  }

  stop(): Promise<unknown> {
    this.#stopped = true;
    return this.#running;
  }

  async #ask(port: number, keepAlive: boolean): Promise<void> {
    const agent = new http.Agent({ keepAlive, maxSockets: 1 });
    while (!this.#stopped) {
      try {
        this.answeredBy.set(await request(port, agent), performance.now());
        this.answered += 1;
      } catch {
        this.lost += 1;
        await sleep(AFTER_FAILURE_MS);
      }
    }
    agent.destroy();
  }
}

/** The pid of the process that answered. Some systems leave a client without an answer and without an end. */
function request(port: number, agent: http.Agent): Promise<number> {
  return new Promise((done, fail) => {
    const sent = http.get({ port, host: '127.0.0.1', agent }, (response) => {
      response.resume().on('end', () => done(Number(response.headers['x-pid'])));
    });
    const timer = setTimeout(() => sent.destroy(), GIVE_UP_MS);
    sent.on('error', fail).on('close', () => {
      clearTimeout(timer);
      fail(new Error('the connection ended before the answer'));
    });
  });
}
