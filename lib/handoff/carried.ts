import { EventEmitter } from 'node:events';
import { type Child } from './successor.js';
import { type GraceEvents } from '../events.js';
import { type Inheritance } from './inherit.js';

/** A process among its generations: where it came from, and what it passes on beside its sockets. */
export abstract class Lineage extends EventEmitter<GraceEvents> {
  /** What this process was started with; known after the first listen(). */
  protected inheritance: Inheritance | undefined;
  /** The process that this one handed over to. */
  protected successor: Child | undefined;
  readonly #carried = new Map<string, () => unknown>();

  /** 1 in the first process, one more in each successor. */
  get generation(): number {
    return this.inheritance?.parent?.generation ?? 1;
  }

  /** Pid of the process that handed over to this one. */
  get predecessor(): number | undefined {
    const parent = this.inheritance?.parent;
    return parent?.superdaemon === true ? undefined : parent?.pid;
  }

  /** Pid of the start_server that does the restarts of this process, as long as it lives. */
  get superdaemon(): number | undefined {
    const { parent, starter } = this.inheritance ?? {};
    return parent?.superdaemon === true && parent.alive ? parent.pid : starter;
  }

  /** Leaves something for the successor beside the sockets, in memory only. `value` is asked at each restart, for JSON. */
  carry(key: string, value: () => unknown): void {
    this.#carried.set(key, value);
  }

  /** What the predecessor left under a key; known after the first listen(). */
  carried(key: string): unknown {
    return this.inheritance?.parent?.state[key];
  }

  /** All that is carried, as it is now. */
  protected carriedState(): Record<string, unknown> {
    return Object.fromEntries([...this.#carried].map(([key, value]) => [key, value()]));
  }

  /** Tells the successor something while this process drains; nothing where there is none. `value` is for JSON. */
  tell(key: string, value: unknown): void {
    this.successor?.tell(key, value);
  }

  /**
   * Hears what the predecessor tells under a key while it drains, and that it is
   * gone. To be asked for after the first listen().
   *
   * @returns whether there is a predecessor.
   */
  hear(key: string, onNews: (value: unknown) => void, onGone: () => void = () => undefined): boolean {
    const parent = this.inheritance?.parent;
    if (parent === undefined || !parent.alive) return false;
    parent.onNews.set(key, onNews);
    parent.onGone.push(onGone);
    return true;
  }
}
