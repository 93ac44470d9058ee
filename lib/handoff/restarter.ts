/**
 * Runs one restart at a time. A request during a restart returns the running one
 * and queues one more, because the running attempt may have loaded an older
 * release than the one that the request is about.
 */
export class Restarter<Result> {
  readonly #attempt: () => Promise<Result>;
  readonly #handOn: (result: Result, again: boolean) => void;
  #running: Promise<Result> | undefined;
  #again = false;

  /**
   * @param attempt - one restart.
   * @param handOn - called after a restart that worked. From then on the successor
   * has to do the restarts: `again` says that one more is queued.
   */
  constructor(attempt: () => Promise<Result>, handOn: (result: Result, again: boolean) => void) {
    this.#attempt = attempt;
    this.#handOn = handOn;
  }

  get running(): boolean {
    return this.#running !== undefined;
  }

  request(): Promise<Result> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#run();
    return this.#running;
  }

  /** Drops the queued restart. */
  cancel(): void {
    this.#again = false;
  }

  /** The successor has failed after all, so this process does the restarts again. */
  reset(): void {
    this.#running = undefined;
    this.#again = false;
  }

  async #run(): Promise<Result> {
    try {
      const result = await this.#attempt();
      this.#handOn(result, this.#again);
      return result;
    } catch (error) {
      this.#running = undefined;
      if (this.#again) {
        this.#again = false;
        // The attempt reports its own failure; nobody waits for this promise.
        this.request().catch(() => undefined);
      }
      throw error;
    }
  }
}
