import { type Worker, pidsOf } from './worker.js';

export interface OldWorkersOptions {
  /** The signal that asks them to exit. */
  readonly signal: NodeJS.Signals;
  /** How many seconds after a new worker is up they get the signal. */
  readonly readKillDelay: () => number;
  readonly say: (message: string) => void;
  /** Called when they have the signal. */
  readonly onDismissed: () => void;
}

/** The workers that are still running although newer ones replace them. */
export class OldWorkers {
  readonly #options: OldWorkersOptions;
  readonly #workers = new Set<Worker>();

  constructor(options: OldWorkersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#workers.size;
  }

  /** Adds a worker that is about to be replaced. If it exits from now on, that is not a crash. */
  add(worker: Worker): void {
    this.#workers.add(worker);
  }

  /** @returns whether it was one of them. */
  delete(worker: Worker): boolean {
    return this.#workers.delete(worker);
  }

  /**
   * Says that a new worker is up and that the old ones will get the signal.
   *
   * @returns milliseconds to wait before {@link dismiss}.
   */
  announceDismissal(): number {
    const { signal, readKillDelay, say } = this.#options;
    const delay = readKillDelay();
    const pids = pidsOf(this.#workers).join(',') || 'none';
    say(`new worker is now running, sending ${signal.slice(3)} to old workers:${pids}`);
    if (delay > 0) say(`sleeping ${delay} secs before killing old workers`);
    return delay * 1000;
  }

  /** Sends them the signal; one that had it before does not get it again. */
  dismiss(): void {
    const { signal, say, onDismissed } = this.#options;
    say('killing old workers');
    for (const worker of this.#workers) worker.signalOnce(signal);
    onDismissed();
  }
}
