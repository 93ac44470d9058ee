import { setMaxListeners } from 'node:events';

/**
 * An AbortSignal that is made when it is first asked for, as most programs never
 * do and it takes time to load.
 */
export class LazySignal {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // Each of ten thousand responses may wait for it; that is no leak.
      setMaxListeners(0, this.#controller.signal);
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** The next signal is a new one, if this one was aborted: it stays so. */
  renew(): void {
    if (this.#reason === undefined) return;
    this.#controller = undefined;
    this.#reason = undefined;
  }

  abort(message: string): void {
    this.#reason = new DOMException(message, 'AbortError');
    this.#controller?.abort(this.#reason);
  }
}
