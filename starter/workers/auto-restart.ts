import { type Timing } from '../environment.js';

const CHECK_EVERY_MS = 1_000;

export interface AutoRestartOptions {
  readonly readTiming: () => Timing;
  /** Whether a worker of an earlier generation is still running. */
  readonly hasOldWorkers: () => boolean;
  readonly restart: (message: string) => void;
}

/** Restarts at each interval; if old workers are still running then, at twice the interval. */
export class AutoRestart {
  readonly #options: AutoRestartOptions;
  #timer: NodeJS.Timeout | undefined;
  #last = performance.now();

  constructor(options: AutoRestartOptions) {
    this.#options = options;
  }

  /** Does nothing if auto restart is off. */
  begin(): void {
    if (this.#options.readTiming().autoRestart) this.#timer = setInterval(() => this.#check(), CHECK_EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** A new worker is up: the interval begins again. */
  reset(): void {
    this.#last = performance.now();
  }

  #check(): void {
    const { readTiming, hasOldWorkers, restart } = this.#options;
    const { autoRestart, autoRestartInterval: interval } = readTiming();
    const seconds = (performance.now() - this.#last) / 1000;
    if (!autoRestart || seconds < interval) return;
    if (!hasOldWorkers()) restart(`autorestart triggered (interval=${interval})`);
    else if (seconds >= interval * 2) restart(`autorestart triggered (forced, interval=${interval})`);
  }
}
