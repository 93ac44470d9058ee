import { nextTurn } from './turn.js';

/** Fulfils after so many milliseconds of work, or is told that it is no longer needed. */
export class Deadline {
  readonly passed: Promise<'passed'>;
  readonly #timer: NodeJS.Timeout;

  constructor(milliseconds: number) {
    let pass: (value: 'passed') => void;
    this.passed = new Promise((resolve) => {
      pass = resolve;
    });
    this.#timer = setTimeout(() => pass('passed'), milliseconds);
  }

  /** What the work answered with, or `passed`. What takes no more than a turn of the event loop is never too late. */
  bound<T>(work: Promise<T>): Promise<T | 'passed'> {
    return Promise.race([work, this.passed.then((passed) => nextTurn().then(() => passed))]);
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
