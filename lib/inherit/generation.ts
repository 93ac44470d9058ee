import { type Place } from '../check/names.js';
import { GraceError } from '../errors.js';
import { type State } from '../events.js';
import { type Settings } from '../options.js';
import { type Claim, claimSockets } from '../socket/claim.js';
import { type GraceListener } from '../socket/listener.js';
import { Adopters } from '../move/adopters.js';
import { socketOf } from '../move/handle.js';
import { type Adopted, keptKind } from '../move/kept.js';
import { kindOf } from '../move/sender.js';
import { ConnectionReceiver } from '../move/receiver.js';
import { returnSockets } from '../move/returned-sockets.js';
import { Siblings } from '../move/siblings.js';
import { Carried } from './carried.js';
import { findInheritance } from './inherit.js';
import { processState } from './process-state.js';
import { type Inheritance, generationOf, predecessorPid, superdaemonPid } from './inheritance.js';
import { PidFile } from './pid-file.js';
import { reportServing, takeOver } from './take-over.js';

/** Opening the channel takes some milliseconds, for which the first clients would wait. */
const FIRST_ANSWERS_MS = 5;

/**
 * One process in a row of predecessors and successors: its sockets and files, what
 * it was given, and what it passes on.
 */
export class Generation {
  /** The sockets, in the order in which the program asked for them. */
  readonly sockets: GraceListener[] = [];
  /** What passes from one generation to the next beside the sockets. */
  readonly carried = new Carried();
  /** Connections that come from the predecessor. */
  readonly arrivals: ConnectionReceiver;
  /** What the program does with connections that it keeps over restarts. */
  readonly adopters = new Adopters();
  /** The way to the worker that takes the place of this one; undefined without start_server. */
  siblings: Siblings | undefined;
  readonly #moves: boolean;
  readonly #state: () => State;
  readonly #pidFile: PidFile | undefined;
  /** Where the options of the process are written. */
  readonly #ofProcess: Place;
  #inheritance: Inheritance | undefined;
  #takingOver = false;

  /** @param state - the state of the process that this is about. */
  constructor(settings: Settings, state: () => State) {
    const { pidFile, moveConnections } = settings;
    this.#state = state;
    this.#moves = moveConnections;
    this.#ofProcess = { names: Object.keys(settings), write: (name) => `new Grace({ ${name}: … })` };
    this.arrivals = new ConnectionReceiver(moveConnections ? processState.channel : undefined);
    if (pidFile !== undefined) this.#pidFile = new PidFile(pidFile);
  }

  /** 1 in the first process, one more in each successor; known after the first {@link listen}. */
  get number(): number {
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

  /** The sockets that the predecessor serves on. A process that stops before it is ready leaves them to the predecessor. */
  get servedByPredecessor(): ReadonlySet<number> {
    const served = this.#inheritance?.predecessor?.alive === true;
    return new Set(this.sockets.filter(({ inherited }) => served && inherited).map(({ fd }) => fd));
  }

  /**
   * Claims sockets, all or none.
   *
   * @throws GraceError `ADDRESS_*`, `NOT_A_SOCKET`, `SOCKET_NOT_PASSED`, `INHERITANCE_INVALID`, `OPTION_INVALID`, `STATE_INVALID`
   */
  async listen(claims: readonly Claim[]): Promise<GraceListener[]> {
    this.expect('starting', 'listen');
    const listeners = await claimSockets(claims, await this.#inherit(), [this.#ofProcess]);
    this.sockets.push(...listeners);
    return listeners;
  }

  /**
   * Adds a socket that was not claimed by {@link listen}. It is open at once if this process serves already.
   *
   * @param before - the closed one of the same server, whose descriptor may belong to another file by now.
   */
  async join(listener: GraceListener, before?: GraceListener): Promise<void> {
    const place = before === undefined ? -1 : this.sockets.indexOf(before);
    if (place === -1) this.sockets.push(listener);
    else this.sockets[place] = listener;
    if (this.#state() !== 'serving') return;
    await listener.open();
    listener.own();
  }

  /**
   * Takes over from the predecessor, or just starts: see takeOver().
   *
   * @returns undefined if this process was told to stop meanwhile.
   * @throws GraceError `ADDRESS_*`, `INHERITANCE_INVALID`, `PID_FILE`, `STATE_INVALID`
   */
  async takeOver(): Promise<Inheritance | undefined> {
    this.expect('starting', 'be ready');
    this.#takingOver = true;
    try {
      const inheritance = await this.#inherit();
      const stopped = (): boolean => this.#state() !== 'starting';
      this.#takeKept();
      const takes = this.arrivals.kinds;
      const done = await takeOver({
        sockets: this.sockets,
        predecessor: inheritance.predecessor,
        pidFile: this.#pidFile,
        takes,
        prepare: () => {
          if (inheritance.predecessor?.watches === true) this.#openChannel();
        },
        stopped,
      });
      return done ? inheritance : undefined;
    } finally {
      this.#takingOver = false;
    }
  }

  /** Tells the predecessor that this process serves. */
  reportServing(): void {
    if (this.#inheritance === undefined) return;
    reportServing(this.sockets, this.#inheritance, this.#returnSockets());
    setTimeout(() => this.#openChannel(), FIRST_ANSWERS_MS).unref();
    this.siblings?.serving();
  }

  /** Puts back what a successor that failed has replaced, or somebody has deleted. */
  async restoreFiles(): Promise<void> {
    this.#pidFile?.restore();
    await Promise.all(this.sockets.map((listener) => listener.restoreFile()));
  }

  /** Removes the files of this process; those of another one stay. */
  removeFiles(which: { readonly sockets: boolean }): void {
    this.#pidFile?.remove();
    if (which.sockets) for (const listener of this.sockets) listener.removeFile();
  }

  /** This process has drained. */
  leave(): void {
    this.carried.predecessor?.leave();
    this.carried.successor?.leave();
  }

  /** @throws GraceError `STATE_INVALID` */
  expect(state: State, what: string): void {
    const current = this.#state();
    if (current === state && !(state === 'starting' && this.#takingOver)) return;
    throw wrongState(`cannot ${what}: this process is ${current}, expected ${state}`, current);
  }

  /** Sends the sockets back to a predecessor that stands by while this process is on probation. */
  #returnSockets(): readonly number[] {
    const { predecessor } = this.carried;
    if (processState.channel === undefined || predecessor?.watches !== true) return [];
    const inherited = this.sockets.filter(({ inherited, server }) => inherited && server !== undefined);
    return returnSockets(processState.channel, new Map(inherited.map(({ fd, server }) => [fd, server!])));
  }

  #openChannel(): void {
    processState.channel?.open?.();
  }

  #takeKept(): void {
    for (const { fd, server, service } of this.sockets) {
      if (service?.adopt === undefined) continue;
      for (const kind of this.adopters.kinds) {
        this.arrivals.take(kindOf(keptKind(kind), fd), (handle, adopted) => {
          const socket = socketOf(handle, server);
          service.adopt?.(socket);
          try {
            this.adopters.run(kind, socket, adopted as Adopted);
          } catch (error) {
            // The predecessor has it open, and goes on with it.
            socket.destroy();
            throw error;
          }
        });
      }
    }
  }

  async #inherit(): Promise<Inheritance> {
    this.#inheritance ??= await findInheritance();
    const { predecessor, workerChannel } = this.#inheritance;
    this.carried.predecessor = predecessor;
    if (workerChannel !== undefined && this.#moves) this.siblings ??= new Siblings(workerChannel, this.arrivals);
    return this.#inheritance;
  }
}

/** An error for a call that is not possible now. */
export function wrongState(message: string, value: State): GraceError {
  return new GraceError('STATE_INVALID', message, { subject: 'state', value });
}
