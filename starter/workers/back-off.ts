/** Delays between restarts, in milliseconds: each is twice the one before. */
export class BackOff {
  readonly #first: number;
  readonly #max: number;
  #next: number;

  constructor(first: number, max: number) {
    this.#first = Math.min(first, max);
    this.#max = max;
    this.#next = this.#first;
  }

  /** The delay before the next start. */
  next(): number {
    const delay = this.#next;
    this.#next = Math.min(Math.max(delay, 1) * 2, this.#max);
    return delay;
  }

  /** Starts again with the first delay. */
  reset(): void {
    this.#next = this.#first;
  }
}
