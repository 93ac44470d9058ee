/** Delays that double from one crash to the next, in milliseconds. */
export class BackOff {
  readonly #first: number;
  readonly #most: number;
  #next: number;

  constructor(first: number, most: number) {
    this.#first = Math.min(first, most);
    this.#most = most;
    this.#next = this.#first;
  }

  /** The delay before the next start. */
  next(): number {
    const delay = this.#next;
    this.#next = Math.min(Math.max(delay, 1) * 2, this.#most);
    return delay;
  }

  /** Begins anew, as after a time without a crash. */
  reset(): void {
    this.#next = this.#first;
  }
}
