import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type RequestRecord, unpack } from '../load/records.js';

interface Clients {
  readonly keepAlive: number;
  readonly newConnection: number;
  /** Mean pause between an answer and the next request, in milliseconds. */
  readonly think: number;
}

/** The clients of every system: the server is busy, and not saturated. */
export const CLIENTS: Clients = { keepAlive: 12, newConnection: 4, think: 5 };

/** Clients in a process of their own, so that neither they nor the measuring process delay each other. */
export class LoadProcess {
  readonly #process: ChildProcess;

  constructor(port: number, { keepAlive, newConnection, think }: Clients = CLIENTS) {
    const file = fileURLToPath(new URL('../load/main.js', import.meta.url));
    const args = [port, keepAlive, newConnection, think].map(String);
    this.#process = fork(file, args, { serialization: 'advanced' });
  }

  /** The processes that have answered in the last 300 ms. */
  async answering(): Promise<ReadonlySet<number>> {
    return new Set((await this.#ask('answering')) as number[]);
  }

  /** Ends the load. */
  async end(): Promise<RequestRecord[]> {
    return unpack((await this.#ask('end')) as Float64Array);
  }

  async #ask(question: string): Promise<unknown> {
    const answer = once(this.#process, 'message');
    this.#process.send(question);
    const [value] = (await answer) as [unknown];
    return value;
  }
}
