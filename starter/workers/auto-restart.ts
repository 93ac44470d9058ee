import { type Timing } from '../environment.js';

const LOOK_EVERY_MS = 1_000;

/** Restarts by time: at the interval where no old worker is left, at twice that in any case. */
export class AutoRestart {
  readonly #timing: () => Timing;
  readonly #oldLeft: () => boolean;
  readonly #restart: (message: string) => void;
  #timer: NodeJS.Timeout | undefined;
  #last = performance.now();

  constructor(timing: () => Timing, oldLeft: () => boolean, restart: (message: string) => void) {
    this.#timing = timing;
    this.#oldLeft = oldLeft;
    this.#restart = restart;
  }

  /** Looks at the time from now on, where auto restart is wanted. */
  begin(): void {
    if (this.#timing().autoRestart) this.#timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A new worker is up: the time counts from here. */
  restarted(): void {
    this.#last = performance.now();
  }

  #look(): void {
    const { autoRestart, autoRestartInterval: interval } = this.#timing();
    const seconds = (performance.now() - this.#last) / 1000;
    if (!autoRestart || seconds < interval) return;
    if (!this.#oldLeft()) this.#restart(`autorestart triggered (interval=${interval})`);
    else if (seconds >= interval * 2) this.#restart(`autorestart triggered (forced, interval=${interval})`);
  }
}
