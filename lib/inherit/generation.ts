import { EventEmitter } from 'node:events';
import { GraceError } from '../errors.js';
import { type GraceEvents, type State } from '../events.js';
import { PidFile } from '../handoff/pid-file.js';
import { type Settings } from '../options.js';
import { type Claim, type ListenOptions, claimSockets } from '../socket/claim.js';
import { type GraceListener } from '../socket/listener.js';
import { Carried } from './carried.js';
import { findInheritance } from './inherit.js';
import { type Inheritance, generationOf, predecessorPid, superdaemonPid } from './inheritance.js';
import { takeOver } from './take-over.js';

/**
 * One process in a row of predecessors and successors: its sockets and files, what
 * it was given, and what it passes on.
 */
export abstract class Generation extends EventEmitter<GraceEvents> {
  /** The options, every default filled in. */
  readonly settings: Settings;
  readonly #sockets: GraceListener[] = [];
  readonly #carried = new Carried();
  readonly #pidFile: PidFile | undefined;
  #inheritance: Inheritance | undefined;
  #takingOver = false;

  /** @internal */
  constructor(settings: Settings) {
    super();
    this.settings = settings;
    if (settings.pidFile !== undefined) this.#pidFile = new PidFile(settings.pidFile);
  }

  abstract get state(): State;

  /** The sockets of this process, in the order in which it listened. */
  get sockets(): readonly GraceListener[] {
    return this.#sockets;
  }

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

  /**
   * Inherits or binds one socket. It accepts from {@link GraceListener.serve} on,
   * and in a successor from {@link Grace.ready} on.
   *
   * @param address - see {@link parseAddress}.
   * @throws GraceError `ADDRESS_*`, `NOT_A_SOCKET`, `SOCKET_NOT_PASSED`, `INHERITANCE_INVALID`, `OPTION_INVALID`
   */
  async listen(address: string | number, options: ListenOptions = {}): Promise<GraceListener> {
    const [listener] = await this.listenAll([{ ...options, address }]);
    return listener!;
  }

  /** {@link listen} for several sockets, all or none. Sockets that systemd passed without names match best this way. */
  async listenAll(claims: readonly Claim[]): Promise<GraceListener[]> {
    this.expectState('starting', 'listen');
    const listeners = await claimSockets(claims, await this.inherit());
    this.#sockets.push(...listeners);
    return listeners;
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

  /**
   * @internal Takes over, see takeOver().
   * @returns undefined if this process was told to stop meanwhile.
   */
  protected async takeOver(): Promise<Inheritance | undefined> {
    this.expectState('starting', 'be ready');
    this.#takingOver = true;
    try {
      const inheritance = await this.inherit();
      const [sockets, pidFile] = [this.#sockets, this.#pidFile];
      const done = await takeOver({ sockets, inheritance, pidFile, stopped: () => this.state !== 'starting' });
      return done ? inheritance : undefined;
    } finally {
      this.#takingOver = false;
    }
  }

  /** @internal Puts back what a successor that failed has replaced, or somebody has deleted. */
  protected async restoreFiles(): Promise<void> {
    this.#pidFile?.restore();
    await Promise.all(this.#sockets.map((listener) => listener.restoreFile()));
  }

  /** @internal Removes the files of this process; those of another one stay. */
  protected removeFiles(which: { readonly sockets: boolean }): void {
    this.#pidFile?.remove();
    if (which.sockets) for (const listener of this.#sockets) listener.removeFile();
  }

  /** @internal The sockets that the predecessor serves on, and that a process leaves to it that stops before it is ready. */
  protected get servedByPredecessor(): ReadonlySet<number> {
    const served = this.#inheritance?.predecessor?.alive === true;
    return new Set(this.#sockets.filter(({ inherited }) => served && inherited).map(({ fd }) => fd));
  }

  /** @internal @throws GraceError `STATE_INVALID` */
  protected expectState(state: State, what: string): void {
    if (this.state === state && !(state === 'starting' && this.#takingOver)) return;
    throw wrongState(`cannot ${what}: this process is ${this.state}, expected ${state}`, this.state);
  }
}

/** An error for a call that is not possible now. */
export function wrongState(message: string, value: State): GraceError {
  return new GraceError('STATE_INVALID', message, { subject: 'state', value });
}
