const MS_PER_SECOND = 1_000;

/** A time limit for work, with one timer for all of it. */
export class Deadline {
  readonly passed: Promise<'passed'>;
  readonly #begin = performance.now();
  #end: number;
  readonly #pass: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(milliseconds: number) {
    let pass: (value: 'passed') => void;
    this.passed = new Promise((resolve) => {
      pass = resolve;
    });
    this.#pass = () => pass('passed');
    this.#end = this.#begin + milliseconds;
    this.#timer = setTimeout(this.#pass, milliseconds);
  }

  /** Milliseconds from its start to its end. */
  get limit(): number {
    return this.#end - this.#begin;
  }

  /** Ends it after this time, if it does not end earlier anyway. */
  shorten(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    if (this.#timer === undefined || end >= this.#end) return;
    this.#end = end;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#pass, milliseconds);
  }

  /** The result of the work, or `passed`. Work that settles within one event-loop turn of the deadline counts as on time. */
  bound<T>(work: Promise<T>): Promise<T | 'passed'> {
    return Promise.race([work, this.passed.then((passed) => nextTurn().then(() => passed))]);
  }

  /** Runs a hook of the program. Rejects with what it throws, or if it has not finished at the deadline. */
  async runHook(name: string, hook: () => unknown): Promise<void> {
    const work = async (): Promise<void> => {
      await hook();
    };
    if ((await this.bound(work())) === 'passed') throw new Error(`${name} did not finish before the deadline`);
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

/** Milliseconds for a message: `400 ms`, `30 s`, `1.5 s`. */
export function formatTime(milliseconds: number): string {
  return milliseconds < MS_PER_SECOND ? `${Math.round(milliseconds)} ms` : `${Math.round(milliseconds / 100) / 10} s`;
}

/** Not from node:timers/promises, which a successor would have to load. */
export function sleep(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(0, milliseconds)));
}

/** Fulfils after the event loop has polled for new input once. */
export function nextTurn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
