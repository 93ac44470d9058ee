/** See Carried.ask(). */
interface Question {
  readonly key: string;
  readonly value: unknown;
}

/**
 * What a successor asks its predecessor for. A successor may ask at the moment at
 * which it serves, and the predecessor may read both at once: the question waits
 * until the hand-over is complete, as nobody hears it earlier.
 */
export class Questions {
  readonly #onAsk: (key: string, value: unknown) => void;
  #waiting: Question[] | undefined;

  constructor(onAsk: (key: string, value: unknown) => void) {
    this.#onAsk = onAsk;
  }

  hear(question: Question): void {
    if (this.#waiting === undefined) this.#onAsk(question.key, question.value);
    else this.#waiting.push(question);
  }

  /** The successor serves. */
  hold(): void {
    this.#waiting = [];
  }

  /** The hand-over is complete when the caller has returned. */
  release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    queueMicrotask(() => waiting.forEach((question) => this.hear(question)));
  }
}
