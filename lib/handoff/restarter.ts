/**
 * Runs restarts one at a time. Whoever asks while one runs gets that one, and
 * is the reason for one more after it: what was deployed meanwhile may not be
 * what the running attempt has loaded.
 */
export class Restarter<Result> {
  readonly #attempt: () => Promise<Result>;
  readonly #handOn: (result: Result, again: boolean) => void;
  #running: Promise<Result> | undefined;
  #again = false;

  /**
   * @param attempt - one restart.
   * @param handOn - what follows a restart that worked. This process is then not
   * the one to restart any more: `again` says that its successor has to.
   */
  constructor(attempt: () => Promise<Result>, handOn: (result: Result, again: boolean) => void) {
    this.#attempt = attempt;
    this.#handOn = handOn;
  }

  request(): Promise<Result> {
    if (this.#running !== undefined) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#run();
    return this.#running;
  }

  /** Forgets the one more. */
  cancel(): void {
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
        // Its failure is reported by the attempt itself; nobody waits for this promise.
        this.request().catch(() => undefined);
      }
      throw error;
    }
  }
}
