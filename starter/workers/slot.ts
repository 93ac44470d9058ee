import { BackOff } from './back-off.js';
import { type OldWorkers } from './old-workers.js';
import { type Worker } from './worker.js';

/** Starts workers for all slots. */
export interface Launcher {
  nextGeneration(): number;
  /** Starts a worker; resolves when it is up, or when it exited before it was. */
  launch(slot: number, generation: number): Promise<Worker>;
}

export interface SlotOptions {
  /** 1 to `--workers`. */
  readonly number: number;
  readonly launcher: Launcher;
  readonly oldWorkers: OldWorkers;
  /** Milliseconds between a failed start and the next try. */
  readonly interval: number;
  /** Whether a crashed worker is replaced after a growing delay, or at once. */
  readonly backsOff: boolean;
}

/** The delay after a crash doubles up to this. */
const BACK_OFF_MAX_MS = 60_000;
/** After this time without a crash the delays begin again at the interval. */
const HEALTHY_MS = 60_000;

/** The place of one worker: keeps a worker running in it, and makes one change at a time. */
export class Slot {
  /** The worker that is up here; undefined while it is being replaced. */
  current: Worker | undefined;
  /** How often a worker crashed here and was replaced. */
  restarts = 0;
  readonly #options: SlotOptions;
  readonly #backOff: BackOff;
  #lastChange: Promise<void> = Promise.resolve();
  #endPause: () => void = () => undefined;
  #upSince = 0;
  #stopped = false;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.#backOff = new BackOff(options.interval, BACK_OFF_MAX_MS);
  }

  /** Starts the first worker; resolves when one is up. */
  open(generation: number): Promise<void> {
    return this.#queue(() => this.#startUntilUp(generation, () => this.#options.interval));
  }

  /** Replaces the worker by one of this generation, unless it is as new already. */
  replace(generation: number): Promise<void> {
    const { launcher, oldWorkers, interval } = this.#options;
    // A deploy does not wait for a crashed worker's delay.
    this.#endPause();
    return this.#queue(async () => {
      const old = this.current;
      if (old !== undefined && old.generation >= generation) return;
      this.current = undefined;
      if (old !== undefined) oldWorkers.add(old);
      // If the new worker crashes during the kill delay, the old one stays until another new one is up.
      let next = generation;
      for (;;) {
        await this.#startUntilUp(next, () => interval);
        if (!this.#stopped) await this.#pause(oldWorkers.announceDismissal());
        if (this.#stopped) return;
        if (this.current !== undefined) break;
        next = launcher.nextGeneration();
      }
      oldWorkers.dismiss();
    });
  }

  /** Replaces the worker that was up here and exited. */
  crashed(): void {
    const { launcher, interval, backsOff } = this.#options;
    this.current = undefined;
    this.restarts += 1;
    if (Date.now() - this.#upSince >= HEALTHY_MS) this.#backOff.reset();
    void this.#queue(async () => {
      const retryDelay = (): number => (backsOff ? this.#backOff.next() : interval);
      if (this.current === undefined && backsOff) await this.#pause(this.#backOff.next());
      if (this.current === undefined && !this.#stopped) await this.#startUntilUp(launcher.nextGeneration(), retryDelay);
    });
  }

  /** Starts no worker from now on. */
  stop(): void {
    this.#stopped = true;
    this.#endPause();
  }

  async #startUntilUp(generation: number, retryDelay: () => number): Promise<void> {
    const { launcher, number } = this.#options;
    for (let next = generation; !this.#stopped; next = launcher.nextGeneration()) {
      const worker = await launcher.launch(number, next);
      if (this.#stopped) return;
      if (worker.isUp) {
        this.current = worker;
        this.#upSince = Date.now();
        return;
      }
      await this.#pause(worker.startedAt + retryDelay() - Date.now());
    }
  }

  #queue(change: () => Promise<void>): Promise<void> {
    this.#lastChange = this.#lastChange.then(change);
    return this.#lastChange;
  }

  #pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0 || this.#stopped) return Promise.resolve();
    return new Promise((done) => {
      const timer = setTimeout(done, milliseconds);
      this.#endPause = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
