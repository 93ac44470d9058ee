import { type Closed } from '../events.js';
import { logger } from '../log.js';

const log = logger('grace');

/** How the life of a process ends: for wait(), and for the exit code. */
export class Outcome {
  /** Fulfils when the process has drained; rejects with the error of the first server that failed. */
  readonly ended: Promise<Closed>;
  #end!: (closed: Closed | Promise<never>) => void;
  #failure: { readonly error: unknown } | undefined;

  constructor() {
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    // A program need not call wait(), so a rejection may stay unhandled.
    this.ended.catch(() => undefined);
  }

  /** Whether a server has failed. */
  get failed(): boolean {
    return this.#failure !== undefined;
  }

  /** A server can accept no more. Only the first error counts. */
  fail(error: unknown): void {
    if (this.#failure === undefined) log('a server failed: %s', error);
    this.#failure ??= { error };
  }

  close(closed: Closed): void {
    this.#end(this.#failure === undefined ? closed : Promise.reject(this.#failure.error));
  }
}
