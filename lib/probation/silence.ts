/** How many signs of life are given within the limit. */
const SIGNS = 8;
/** How often silence is measured within the limit, so that it is noticed soon after the limit. */
const LOOKS = 40;

/**
 * Notices that signs of life have stopped. It counts its own looks and not the
 * time, so if this process itself was stopped or busy, that is not taken for the
 * other one's silence; and it reads once more what has come before it decides.
 *
 * @param limit - milliseconds.
 */
export class Silence {
  readonly #timer: NodeJS.Timeout;
  #looks = 0;

  constructor(limit: number, onSilent: () => void) {
    this.#timer = setInterval(() => {
      this.#looks += 1;
      if (this.#looks < LOOKS) return;
      setImmediate(() => {
        if (this.#looks < LOOKS) return;
        this.stop();
        onSilent();
      });
    }, limit / LOOKS).unref();
  }

  /** A sign of life has come. */
  heard(): void {
    this.#looks = 0;
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#looks = -Infinity;
  }
}

/** Gives signs of life for as long as the event loop runs. Returns a function that ends that. */
export function giveSigns(limit: number, sign: () => void): () => void {
  const timer = setInterval(sign, limit / SIGNS).unref();
  return () => clearInterval(timer);
}
