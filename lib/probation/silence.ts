/** How many signs of life are given within the limit. */
const SIGNS = 8;
/** How often silence is measured within the limit, so that it is noticed soon after the limit. */
const LOOKS = 40;
/** With fewer looks since the last sign, the next sign is not late yet. */
const LATE_LOOKS = (2 * LOOKS) / SIGNS;
/** After so many limits nothing is excused. */
const MOST_LIMITS = 4;

export interface SilenceOptions {
  /** Milliseconds. */
  readonly limit: number;
  /** Milliseconds for which the other process has waited for a processor since it began; see starvation(). */
  readonly starved: () => number;
  readonly onSilent: () => void;
}

/**
 * Notices that signs of life have stopped. It counts its own looks and not the
 * time, so if this process itself was stopped or busy, that is not taken for the
 * other one's silence; and it reads once more what has come before it decides.
 * Looks while the other one could run, but had no processor, do not count either; after four limits it is silent in any case.
 */
export class Silence {
  readonly #timer: NodeJS.Timeout;
  readonly #starved: () => number;
  readonly #interval: number;
  #looks = 0;
  /** At the first look since the last sign. */
  #starvedBefore = 0;
  #onSign: (() => void) | undefined;

  constructor({ limit, starved, onSilent }: SilenceOptions) {
    this.#starved = starved;
    this.#interval = limit / LOOKS;
    this.#timer = setInterval(() => {
      this.#looks += 1;
      if (this.#looks === 1) this.#starvedBefore = starved();
      if (!this.#isOver()) return;
      setImmediate(() => {
        if (!this.#isOver()) return;
        this.stop();
        onSilent();
      });
    }, this.#interval).unref();
  }

  /** A sign of life has come. */
  heard(): void {
    this.#looks = Math.min(this.#looks, 0);
    this.#onSign?.();
    this.#onSign = undefined;
  }

  /** Calls the handler now, or if the next sign is late, when it has come. */
  whenHeard(handler: () => void): void {
    if (this.#looks < LATE_LOOKS) handler();
    else this.#onSign = handler;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#looks = -Infinity;
    this.#onSign = undefined;
  }

  #isOver(): boolean {
    if (this.#looks < LOOKS) return false;
    if (this.#looks >= LOOKS * MOST_LIMITS) return true;
    return this.#looks - LOOKS >= (this.#starved() - this.#starvedBefore) / this.#interval;
  }
}

/** Gives signs of life for as long as the event loop runs. Returns a function that ends that. */
export function giveSigns(limit: number, sign: () => void): () => void {
  const timer = setInterval(sign, limit / SIGNS).unref();
  return () => clearInterval(timer);
}
