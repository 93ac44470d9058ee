import { type Launcher, type Slot } from './slot.js';

export interface RollingDeployOptions {
  readonly slots: readonly Slot[];
  readonly launcher: Launcher;
  /** A deploy begins; `message` says why. */
  readonly onBegin: (message: string) => void;
  /** One of several workers was replaced. */
  readonly onReplaced: (slot: Slot, milliseconds: number) => void;
  readonly onEnd: () => void;
}

/** Replaces all workers, one slot after the other. One deploy runs at a time. */
export class RollingDeploy {
  readonly #options: RollingDeployOptions;
  #running: Promise<void> | undefined;
  #queued: string | undefined;
  #held = false;
  #stopped = false;

  constructor(options: RollingDeployOptions) {
    this.#options = options;
  }

  /** Whether workers are being replaced, or the first ones started. */
  get running(): boolean {
    return this.#running !== undefined;
  }

  /** Why a deploy follows the running one; undefined if none does. */
  get queued(): string | undefined {
    return this.#queued;
  }

  /** Starts, at the same time, the first worker of all slots that have none; `onFirstUp` is called when the first of them is up. */
  async open(onFirstUp: () => void): Promise<void> {
    await this.#run(async () => {
      const { slots, launcher } = this.#options;
      const empty = slots.filter(({ current }) => current === undefined);
      const generation = empty.length > 0 ? launcher.nextGeneration() : 0;
      const opened = empty.map((slot) => slot.open(generation));
      if (empty.length === slots.length) await Promise.race(opened);
      if (!this.#stopped) onFirstUp();
      await Promise.all(opened);
    });
  }

  /** Replaces all workers. If a deploy is running, one more follows it for all requests that arrive during it. */
  request(message: string): void {
    if (this.#stopped) return;
    if (this.running || this.#held) this.#queued = message;
    else void this.#run(() => this.#replaceAll(message));
  }

  /** Fulfils when no deploy is running; requests then wait until {@link release}. */
  async hold(): Promise<void> {
    this.#held = true;
    await this.#running;
  }

  release(): void {
    this.#held = false;
    this.#runQueued();
  }

  /** No further worker is replaced. */
  stop(): void {
    this.#stopped = true;
  }

  async #run(work: () => Promise<void>): Promise<void> {
    this.#running = work();
    await this.#running;
    this.#running = undefined;
    if (!this.#stopped) this.#options.onEnd();
    this.#runQueued();
  }

  async #replaceAll(message: string): Promise<void> {
    const { slots, launcher, onBegin, onReplaced } = this.#options;
    onBegin(message);
    const generation = launcher.nextGeneration();
    for (const slot of slots) {
      if (this.#stopped) return;
      const begin = performance.now();
      await slot.replace(generation);
      if (!this.#stopped) onReplaced(slot, performance.now() - begin);
    }
  }

  #runQueued(): void {
    const message = this.#queued;
    if (message === undefined || this.#held) return;
    this.#queued = undefined;
    this.request(message);
  }
}
