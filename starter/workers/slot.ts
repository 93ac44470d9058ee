import { messageOf } from '../../lib/errors.js';
import { BackOff } from '../process/back-off.js';
import { type OldWorkers } from './old-workers.js';
import { Pause } from './pause.js';
import { type Worker } from './worker.js';

/** Starts workers for all slots. */
export interface Launcher {
  nextGeneration(): number;
  /** Starts a worker; resolves when it is up, or when it exited before it was. */
  launch(slot: number, generation: number): Promise<Worker>;
  /** A worker said that it is ready, and exited before it had lived for the interval. */
  onFailedProbation(worker: Worker): void;
  say(message: string): void;
}

export interface SlotOptions {
  /** 1 to `--workers`. */
  readonly number: number;
  readonly launcher: Launcher;
  readonly oldWorkers: OldWorkers;
  /** Milliseconds between a failed start and the next try. */
  readonly interval: number;
  /** The worker that start_server's predecessor left here. */
  readonly current?: Worker | undefined;
  readonly restarts?: number | undefined;
}

/** The delay after a crash doubles up to this. */
const BACK_OFF_MAX_MS = 60_000;
/** After this time without a crash the first replacement is at once again. */
const HEALTHY_MS = 60_000;

/** The place of one worker: keeps a worker running in it, and makes one change at a time. */
export class Slot {
  /** The worker that is up here; undefined while it is being replaced. */
  current: Worker | undefined;
  /** How often a worker crashed here and was replaced. */
  restarts: number;
  readonly #options: SlotOptions;
  readonly #backOff: BackOff;
  /** Between two tries. */
  readonly #retry = new Pause();
  /** Before old workers are told to exit. */
  readonly #delay = new Pause();
  #lastChange: Promise<void> = Promise.resolve();
  #upSince = performance.now();
  #stopped = false;

  constructor(options: SlotOptions) {
    this.#options = options;
    this.current = options.current;
    this.restarts = options.restarts ?? 0;
    this.#backOff = new BackOff(options.interval, BACK_OFF_MAX_MS);
  }

  get number(): number {
    return this.#options.number;
  }

  /** Starts the first worker; resolves when one is up. */
  open(generation: number): Promise<void> {
    return this.#queue(async () => {
      if (this.current === undefined) this.#take(await this.#startUntilUp(generation, this.#deployBackOff()));
    });
  }

  /** Replaces the worker by one of this generation, unless it is as new already. */
  replace(generation: number): Promise<void> {
    const { oldWorkers, launcher } = this.#options;
    // A deploy does not wait for a crashed worker's delay.
    this.hurry();
    return this.#queue(async () => {
      const old = this.current;
      if (old !== undefined && old.generation >= generation) return;
      this.current = undefined;
      if (old !== undefined) oldWorkers.add(old);
      // Until a new worker has proved itself and lived through the kill delay, the old one stays.
      let next = generation;
      for (;;) {
        this.#take(await this.#startUntilProven(next, old));
        if (!this.#stopped) await this.#delay.wait(oldWorkers.announceDismissal());
        if (this.#stopped) return;
        if (this.current !== undefined) break;
        next = launcher.nextGeneration();
      }
      this.#backOff.reset();
      oldWorkers.dismiss();
    });
  }

  /** Replaces the worker that was up here and exited. */
  crashed(): void {
    const { launcher } = this.#options;
    this.current = undefined;
    this.restarts += 1;
    if (performance.now() - this.#upSince >= HEALTHY_MS) this.#backOff.reset();
    const delay = this.#backOff.next();
    void this.#queue(async () => {
      if (this.current !== undefined || this.#stopped) return;
      await this.#retry.wait(delay);
      if (!this.#stopped) this.#take(await this.#startUntilUp(launcher.nextGeneration(), this.#backOff));
    });
  }

  /** Ends a pause between two tries; if a try is running, no pause follows it. */
  hurry(): void {
    this.#retry.skip();
  }

  /** Starts no worker from now on. */
  stop(): void {
    this.#stopped = true;
    this.#retry.close();
    this.#delay.close();
  }

  #take(worker: Worker | undefined): void {
    this.current = worker;
    this.#upSince = performance.now();
  }

  /** Undefined if it was told to stop. */
  async #startUntilProven(generation: number, old: Worker | undefined): Promise<Worker | undefined> {
    const { launcher } = this.#options;
    const backOff = this.#deployBackOff();
    // Nobody serves here any more, so the next try need not wait.
    void old?.exited.then(() => this.hurry());
    for (let next = generation; ; next = launcher.nextGeneration()) {
      const worker = await this.#startUntilUp(next, backOff);
      if (worker === undefined || (await worker.proven)) return worker;
      if (this.#stopped) return undefined;
      launcher.onFailedProbation(worker);
      await this.#retry.wait(worker.began + backOff.next() - performance.now());
    }
  }

  /** Undefined if it was told to stop. */
  async #startUntilUp(generation: number, backOff: BackOff): Promise<Worker | undefined> {
    const { launcher, number } = this.#options;
    for (let next = generation; !this.#stopped; next = launcher.nextGeneration()) {
      this.#retry.reset();
      const began = performance.now();
      const worker = await launcher.launch(number, next).catch((error: unknown) => {
        if (!this.#stopped) launcher.say(`failed to start a worker: ${messageOf(error)}`);
        return undefined;
      });
      if (this.#stopped) return undefined;
      if (worker?.isUp === true) return worker;
      await this.#retry.wait(began + backOff.next() - performance.now());
    }
    return undefined;
  }

  /** A program that has just failed is tried again after the interval. */
  #deployBackOff(): BackOff {
    const backOff = new BackOff(this.#options.interval, BACK_OFF_MAX_MS);
    backOff.next();
    return backOff;
  }

  #queue(change: () => Promise<void>): Promise<void> {
    this.#lastChange = this.#lastChange.then(change).catch((error: unknown) => {
      this.#options.launcher.say(`worker ${this.#options.number}: ${messageOf(error)}`);
      if (this.current === undefined && !this.#stopped) this.crashed();
    });
    return this.#lastChange;
  }
}
