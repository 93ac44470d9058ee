/** The kernel closes a dying process's pipe before it reports the exit. A successor that closes the pipe but keeps running has failed. */
export const EXIT_AFTER_CLOSE_MS = 1_000;

/** The time in which a successor has to become ready, and then to serve. */
export class Startup {
  /** Fulfils when the successor serves; rejects with why it does not come to that. */
  readonly ended: Promise<void>;
  readonly #timeout: number;
  readonly #giveUp: (why: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #lastLook: NodeJS.Immediate | undefined;
  #afterClose: NodeJS.Timeout | undefined;
  #isOver = false;
  #resolve: () => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;

  /**
   * @param timeout - milliseconds until the successor has to be ready.
   * @param giveUp - called with the reason if it takes longer, or closes its pipe and runs on.
   */
  constructor(timeout: number, giveUp: (why: string) => void) {
    this.#timeout = timeout;
    this.#giveUp = giveUp;
    this.ended = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.beginAgain();
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The successor is ready: it has as much time again until it serves. */
  beginAgain(): void {
    this.#stopTimer();
    this.#timer = setTimeout(() => {
      // Timers run before the pipe is read: if this process was busy or stopped, the message may be waiting there.
      this.#lastLook = setImmediate(() => this.#giveUp(`was not ready within ${this.#timeout} ms`));
    }, this.#timeout);
  }

  /** The successor has closed its pipe. */
  onPipeEnd(): void {
    if (!this.#isOver) this.#afterClose = setTimeout(() => this.#giveUp('closed the handoff pipe'), EXIT_AFTER_CLOSE_MS);
  }

  serves(): void {
    this.#end();
    this.#resolve();
  }

  fails(error: Error): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    this.#isOver = true;
    this.#stopTimer();
    clearTimeout(this.#afterClose);
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#lastLook);
  }
}
