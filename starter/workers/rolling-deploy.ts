import { type Launcher, type Slot } from './slot.js';

export interface RollingDeployOptions {
  readonly slots: readonly Slot[];
  readonly launcher: Launcher;
  /** A deploy begins; `message` says why. */
  readonly onBegin: (message: string) => void;
  readonly onEnd: () => void;
}

/** Replaces all workers, one slot after the other. One deploy runs at a time. */
export class RollingDeploy {
  readonly #options: RollingDeployOptions;
  #running = false;
  #queued: string | undefined;
  #stopped = false;

  constructor(options: RollingDeployOptions) {
    this.#options = options;
  }

  /** Whether workers are being replaced, or the first ones started. */
  get running(): boolean {
    return this.#running;
  }

  /** Starts the first worker of all slots at once; `onFirstUp` is called when the first of them is up. */
  async open(onFirstUp: () => void): Promise<void> {
    const { slots, launcher } = this.#options;
    this.#running = true;
    const generation = launcher.nextGeneration();
    const opened = slots.map((slot) => slot.open(generation));
    await Promise.race(opened);
    if (!this.#stopped) onFirstUp();
    await Promise.all(opened);
    this.#running = false;
    this.#runQueued();
  }

  /** Replaces all workers. If a deploy is running, one more follows it for all requests that arrive during it. */
  request(message: string): void {
    if (this.#stopped) return;
    if (this.#running) this.#queued = message;
    else void this.#run(message);
  }

  /** No further worker is replaced. */
  stop(): void {
    this.#stopped = true;
  }

  async #run(message: string): Promise<void> {
    const { slots, launcher, onBegin, onEnd } = this.#options;
    this.#running = true;
    onBegin(message);
    const generation = launcher.nextGeneration();
    for (const slot of slots) {
      if (this.#stopped) return;
      await slot.replace(generation);
    }
    this.#running = false;
    onEnd();
    this.#runQueued();
  }

  #runQueued(): void {
    const message = this.#queued;
    this.#queued = undefined;
    if (message !== undefined) this.request(message);
  }
}
