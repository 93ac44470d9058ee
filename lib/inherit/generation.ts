import { EventEmitter } from 'node:events';
import { type GraceEvents } from '../events.js';
import { Carried } from './carried.js';
import { findInheritance } from './inherit.js';
import { type Inheritance, generationOf, predecessorPid, superdaemonPid } from './inheritance.js';

/** One process in a row of predecessors and successors: what it was given, and what it passes on beside the sockets. */
export class Generation extends EventEmitter<GraceEvents> {
  readonly #carried = new Carried();
  #inheritance: Inheritance | undefined;

  /** 1 in the first process, one more in each successor. Known after the first {@link Grace.listen}. */
  get generation(): number {
    return generationOf(this.#inheritance);
  }

  /** Pid of the process that handed over to this one. */
  get predecessor(): number | undefined {
    return predecessorPid(this.#inheritance);
  }

  /** Pid of the start_server that restarts this process, as long as it lives. */
  get superdaemon(): number | undefined {
    return superdaemonPid(this.#inheritance);
  }

  /** Leaves a value for the successor, in memory only. `value` is called at each restart; its result has to be JSON. */
  carry(key: string, value: () => unknown): void {
    this.#carried.leave(key, value);
  }

  /** What the predecessor left under a key; known after the first {@link Grace.listen}. */
  carried(key: string): unknown {
    return this.#carried.get(key);
  }

  /** Tells the successor something while this process drains; does nothing if there is none. `value` has to be JSON. */
  tell(key: string, value: unknown): void {
    this.#carried.tell(key, value);
  }

  /**
   * Hears what the predecessor tells under a key while it drains, and that it is
   * gone. Call it after the first {@link Grace.listen}.
   *
   * @returns whether there is a predecessor.
   */
  hear(key: string, onNews: (value: unknown) => void, onGone: () => void = () => undefined): boolean {
    return this.#carried.hear(key, onNews, onGone);
  }

  /**
   * Asks the predecessor for something while it drains; `value` has to be JSON.
   *
   * @returns whether it can hear it: there is one, and this process is ready.
   */
  ask(key: string, value: unknown): boolean {
    return this.#carried.ask(key, value);
  }

  /** Hears what the successor asks for under a key while this process drains. */
  onAsk(key: string, handler: (value: unknown) => void): void {
    this.#carried.onAsk(key, handler);
  }

  /** @internal What this process passes on. */
  protected get passesOn(): Carried {
    return this.#carried;
  }

  /** @internal What this process was started with, when it is known. */
  protected get inheritance(): Inheritance | undefined {
    return this.#inheritance;
  }

  /**
   * @internal Finds what this process was started with.
   * @throws GraceError `INHERITANCE_INVALID`
   */
  protected async inherit(): Promise<Inheritance> {
    this.#inheritance ??= await findInheritance();
    this.#carried.predecessor = this.#inheritance.predecessor;
    return this.#inheritance;
  }
}
