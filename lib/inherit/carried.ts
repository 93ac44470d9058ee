import { type Predecessor } from '../handoff/predecessor.js';
import { type Successor } from '../handoff/successor.js';

/**
 * What passes from one generation to the next beside the sockets: values that wait
 * in the greeting, and what both tell and ask each other while the old one drains.
 * All values have to be JSON.
 *
 * @example
 * import { App } from 'ts-grace/gracehttp';
 *
 * const app = new App();
 * let count = 0;
 * app.carried.leave('count', () => count);
 * await app.serve({ handler: (request, response) => response.end(`${(count += 1)}\n`), listen: ':8080' });
 * count += Number(app.carried.get('count') ?? 0);
 */
export class Carried {
  /** @internal The process that hands over to this one, when it is known. */
  predecessor: Predecessor | undefined;
  /** @internal The process that this one handed over to. */
  successor: Successor | undefined;
  readonly #onAsk = new Map<string, (value: unknown) => void>();
  readonly #values = new Map<string, () => unknown>();

  /** Leaves a value for the successor, in memory only; `value` is called at each restart. */
  leave(key: string, value: () => unknown): void {
    this.#values.set(key, value);
  }

  /** @internal All that is left for the successor, as it is now. */
  collect(): Record<string, unknown> {
    return Object.fromEntries([...this.#values].map(([key, value]) => [key, value()]));
  }

  /** What the predecessor left under a key; known after the first {@link Grace.listen}. */
  get(key: string): unknown {
    return this.predecessor?.state[key];
  }

  /** Tells the successor something; does nothing if there is no successor. */
  tell(key: string, value: unknown): void {
    this.successor?.tell(key, value);
  }

  /**
   * Hears what the predecessor tells under a key while it drains, and that it is
   * gone. Call it after the first {@link Grace.listen}.
   *
   * @returns whether there is a predecessor.
   */
  hear(key: string, onNews: (value: unknown) => void, onGone: () => void = () => undefined): boolean {
    if (this.predecessor === undefined || !this.predecessor.alive) return false;
    this.predecessor.onNews.set(key, onNews);
    this.predecessor.onGone.push(onGone);
    return true;
  }

  /**
   * Asks the predecessor for something while it drains.
   *
   * @returns whether the predecessor can hear this: there is one, and this process is ready.
   */
  ask(key: string, value: unknown): boolean {
    return this.predecessor?.ask(key, value) === true;
  }

  /** Hears what the successor asks for under a key while this process drains. */
  onAsk(key: string, handler: (value: unknown) => void): void {
    this.#onAsk.set(key, handler);
  }

  /** @internal The successor asks for something. */
  asked(key: string, value: unknown): void {
    this.#onAsk.get(key)?.(value);
  }
}
