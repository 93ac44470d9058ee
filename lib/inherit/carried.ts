import { type Predecessor } from '../handoff/predecessor.js';
import { type Successor } from '../handoff/successor.js';

/** What passes from one generation to the next beside the sockets: in the greeting, and as news while the old one drains. */
export class Carried {
  /** The process that hands over to this one, when it is known. */
  predecessor: Predecessor | undefined;
  /** The process that this one handed over to. */
  successor: Successor | undefined;
  readonly #onAsk = new Map<string, (value: unknown) => void>();
  readonly #values = new Map<string, () => unknown>();

  /** Leaves a value for the successor; `value` is called at each restart. */
  leave(key: string, value: () => unknown): void {
    this.#values.set(key, value);
  }

  /** All that is left for the successor, as it is now. */
  collect(): Record<string, unknown> {
    return Object.fromEntries([...this.#values].map(([key, value]) => [key, value()]));
  }

  /** What the predecessor left under a key. */
  get(key: string): unknown {
    return this.predecessor?.state[key];
  }

  /** Tells the successor something; does nothing if there is no successor. */
  tell(key: string, value: unknown): void {
    this.successor?.tell(key, value);
  }

  /** Hears what the predecessor tells under a key, and that it is gone. Returns whether there is a predecessor. */
  hear(key: string, onNews: (value: unknown) => void, onGone: () => void): boolean {
    if (this.predecessor === undefined || !this.predecessor.alive) return false;
    this.predecessor.onNews.set(key, onNews);
    this.predecessor.onGone.push(onGone);
    return true;
  }

  /** Asks the predecessor for something; false if there is none, or it cannot hear it yet or any longer. */
  ask(key: string, value: unknown): boolean {
    return this.predecessor?.ask(key, value) === true;
  }

  /** Calls the handler with what the successor asks for under a key. */
  onAsk(key: string, handler: (value: unknown) => void): void {
    this.#onAsk.set(key, handler);
  }

  /** The successor asks for something. */
  asked(key: string, value: unknown): void {
    this.#onAsk.get(key)?.(value);
  }
}
