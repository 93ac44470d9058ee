/** A time to wait, which something else can end. */
export class Pause {
  #end: () => void = () => undefined;
  #skipped = false;
  #closed = false;

  /** Resolves after these milliseconds of the monotonic clock, or when it is ended. */
  wait(milliseconds: number): Promise<void> {
    const skip = this.#skipped || this.#closed;
    this.#skipped = false;
    if (skip || milliseconds <= 0) return Promise.resolve();
    return new Promise((done) => {
      const timer = setTimeout(() => this.#end(), milliseconds);
      this.#end = () => {
        clearTimeout(timer);
        this.#end = () => undefined;
        this.#skipped = false;
        done();
      };
    });
  }

  /** Ends the wait, or if there is none, skips the next one. */
  skip(): void {
    this.#skipped = true;
    this.#end();
  }

  /** What was skipped before counts no longer. */
  reset(): void {
    this.#skipped = false;
  }

  /** Ends the wait, and all later ones. */
  close(): void {
    this.#closed = true;
    this.#end();
  }
}
