/** Delays between restarts, in milliseconds: the first restart is at once, then each delay is twice the one before. */
export class BackOff {
  readonly #first: number;
  readonly #max: number;
  #next = 0;

  constructor(first: number, max: number) {
    this.#first = Math.min(first, max);
    this.#max = max;
  }

  /** The delay before the next start. */
  next(): number {
    const delay = this.#next;
    this.#next = delay === 0 ? Math.max(this.#first, 1) : Math.min(delay * 2, this.#max);
    return delay;
  }

  /** The next start is at once again. */
  reset(): void {
    this.#next = 0;
  }
}
