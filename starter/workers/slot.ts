import { BackOff } from './back-off.js';
import { type Worker } from './worker.js';

/** What a slot needs of its superdaemon. Times are in milliseconds. */
export interface SlotHost {
  readonly interval: number;
  /** Whether a worker that crashes is replaced after a delay that grows, or at once. */
  readonly backsOff: boolean;
  readonly stopping: boolean;
  start(slot: Slot, generation: number): Worker;
  nextGeneration(): number;
  onUp(): void;
  onFailedStart(worker: Worker, status: number): void;
  /** From now on the end of this worker is no crash. */
  retire(old: Worker): void;
  /** Says that the old ones go next; returns how long they still have. */
  announceDismissal(): number;
  dismissRetired(): void;
}

/** The delay after a crash doubles up to this, … */
const BACK_OFF_MOST_MS = 60_000;
/** … and begins anew when a worker was up for so long. */
const HEALTHY_MS = 60_000;

/** The place of one worker: keeps one running there, one change at a time. */
export class Slot {
  /** 1 to `--workers`. */
  readonly number: number;
  /** The worker that is up here, and not to be replaced at the moment. */
  current: Worker | undefined;
  /** How often a worker died here and was replaced. */
  restarts = 0;
  readonly #host: SlotHost;
  readonly #backOff: BackOff;
  #turn: Promise<void> = Promise.resolve();
  #wake: () => void = () => undefined;
  #upSince = 0;

  constructor(number: number, host: SlotHost) {
    this.number = number;
    this.#host = host;
    this.#backOff = new BackOff(host.interval, BACK_OFF_MOST_MS);
  }

  /** Starts the first worker; fulfils when one is up. */
  open(generation: number): Promise<void> {
    return this.#inTurn(() => this.#startUntilUp(generation, () => this.#host.interval));
  }

  /** Puts a worker of this generation in place of the one that is here; one that is as new stays. */
  replace(generation: number): Promise<void> {
    const host = this.#host;
    this.wake();
    return this.#inTurn(async () => {
      const old = this.current;
      if (old !== undefined && old.generation >= generation) return;
      this.current = undefined;
      if (old !== undefined) host.retire(old);
      // A new one that died while the old one had its delay is no reason to send that away.
      let next = generation;
      for (;;) {
        await this.#startUntilUp(next, () => host.interval);
        if (!host.stopping) await this.#pause(host.announceDismissal());
        if (host.stopping) return;
        if (this.current !== undefined) break;
        next = host.nextGeneration();
      }
      host.dismissRetired();
    });
  }

  /** Called when the worker that is up here died. */
  crashed(): void {
    const host = this.#host;
    this.current = undefined;
    this.restarts += 1;
    if (Date.now() - this.#upSince >= HEALTHY_MS) this.#backOff.reset();
    void this.#inTurn(async () => {
      const retryDelay = (): number => (host.backsOff ? this.#backOff.next() : host.interval);
      if (this.current === undefined && host.backsOff) await this.#pause(this.#backOff.next());
      if (this.current === undefined && !host.stopping) await this.#startUntilUp(host.nextGeneration(), retryDelay);
    });
  }

  /** Ends a wait before its time. */
  wake(): void {
    this.#wake();
  }

  async #startUntilUp(generation: number, retryDelay: () => number): Promise<void> {
    const host = this.#host;
    for (let next = generation; !host.stopping; next = host.nextGeneration()) {
      const worker = host.start(this, next);
      const up = await worker.up;
      if (host.stopping) return;
      if (up) {
        this.current = worker;
        this.#upSince = Date.now();
        host.onUp();
        return;
      }
      host.onFailedStart(worker, await worker.exited);
      await this.#pause(worker.startedAt + retryDelay() - Date.now());
    }
  }

  #inTurn(task: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(task);
    return this.#turn;
  }

  #pause(milliseconds: number): Promise<void> {
    if (milliseconds <= 0 || this.#host.stopping) return Promise.resolve();
    return new Promise((done) => {
      const timer = setTimeout(done, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        done();
      };
    });
  }
}
