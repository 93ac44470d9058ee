import { type Socket } from 'node:net';
import { type Writable } from 'node:stream';
import { atCall } from './at-call.js';
import { type Closed, type DrainReason, Events, type State } from './events.js';
import { type RestartOptions } from './handoff/restarts.js';
import { type Carried } from './inherit/carried.js';
import { wrongState } from './inherit/generation.js';
import { processState } from './inherit/process-state.js';
import { Life } from './life/life.js';
import { type Adopter, type Adopters, checkKept } from './move/adopters.js';
import { keepConnection } from './move/kept.js';
import { type ConnectionReceiver } from './move/receiver.js';
import { type GraceOptions, type Settings, readOptions } from './options.js';
import { type Probation } from './probation/probation.js';
import { type Claim, type ListenOptions } from './socket/claim.js';
import { type GraceListener } from './socket/listener.js';

processState.copies += 1;

/**
 * The life of a serving process: it inherits or binds its sockets, says that it
 * is ready, hands over to a successor when asked to, and drains.
 *
 * @example
 * import net from 'node:net';
 * import { Grace } from 'ts-grace';
 *
 * const grace = new Grace();
 * const listener = await grace.listen('127.0.0.1:7000');
 * await listener.serve(net.createServer((socket) => socket.end('hello\n')));
 * await grace.ready();
 */
export class Grace extends Events {
  /** The options, every default filled in. */
  readonly settings: Settings;
  readonly #life: Life;

  /** @throws GraceError `OPTION_INVALID`; `STATE_INVALID` if this process has a Grace or App that is not closed. */
  constructor(options: GraceOptions = {}) {
    super();
    this.settings = checked(options, new.target);
    const other = processState.grace?.state ?? 'closed';
    if (other !== 'closed') throw wrongState(`this process already has a Grace or App, which is ${other}; only one is possible`, other);
    this.#life = new Life(this, this.settings);
    processState.grace = this;
  }

  /** What this process does now. */
  get state(): State {
    return this.#life.state;
  }

  /** Why this process drains or drained. */
  get reason(): DrainReason | undefined {
    return this.#life.reason;
  }

  /**
   * Aborted when this process drains and takes no new connections: responses
   * without an end, for example event streams, should end now.
   */
  get signal(): AbortSignal {
    return this.#life.leaving.signal;
  }

  /** Aborted shortly before `drainTimeout` ends, by a sixth of it, 5 s at most; at once if too many old generations drain. What still runs should end now. */
  get closing(): AbortSignal {
    return this.#life.closing.signal;
  }

  /** Whether a new process proves itself before the old one leaves. */
  get probation(): Probation {
    return this.#life.probation;
  }

  /** Restarts of this process that failed. */
  get failedRestarts(): number {
    return this.#life.restarts.failed;
  }

  /**
   * Lets a raw or upgraded connection move to the successor at a restart, if the
   * successor adopts its kind. A connection with TLS stays.
   *
   * @param kind - the name under which the successor adopts it, see {@link adopt}.
   * @param leave - called when the connection is about to move: the program stops
   * writing, removes its listeners, and returns its state of the connection, which
   * has to be JSON of at most 64 KiB; or undefined for "not now".
   * @returns a function that forgets it: the connection stays then.
   * @throws GraceError `OPTION_INVALID`
   */
  keep(connection: Socket, kind: string, leave: () => unknown): () => void {
    checkKept(connection, kind, leave);
    return keepConnection(connection, { kind, connection, leave, isQuiet: () => true });
  }

  /**
   * Goes on with the connections of a kind that the predecessor kept. If a
   * connection cannot move after all, its adopter in the old process gets it back.
   * Call it before {@link ready} or `serve()`.
   *
   * @throws GraceError `OPTION_INVALID` if the kind has an adopter; `STATE_INVALID` if this process is ready.
   */
  adopt<Connection extends Writable = Socket, State = unknown>(kind: string, adopter: Adopter<Connection, State>): void {
    this.#life.generation.expect('starting', 'adopt connections');
    this.adopters.add(kind, adopter as Adopter<Writable>);
  }

  /** @internal */
  protected get adopters(): Adopters {
    return this.#life.generation.adopters;
  }

  /** Connections that the successor has taken so far. */
  get moved(): number {
    return (this.carried.successor ?? this.#life.generation.siblings)?.moved ?? 0;
  }

  /** @internal Connections that come from the predecessor. */
  protected get arrivals(): ConnectionReceiver {
    return this.#life.generation.arrivals;
  }

  /** The sockets of this process, in the order in which it listened. */
  get sockets(): readonly GraceListener[] {
    return this.#life.generation.sockets;
  }

  /** 1 in the first process, one more in each successor. Known after the first {@link listen}. */
  get generation(): number {
    return this.#life.generation.number;
  }

  /** Pid of the process that handed over to this one. */
  get predecessor(): number | undefined {
    return this.#life.generation.predecessor;
  }

  /** @internal Whether other processes serve until this one is ready. */
  protected get replaces(): boolean {
    return this.#life.generation.servedByPredecessor.size > 0;
  }

  /** Pid of the start_server that restarts this process, as long as it lives. */
  get superdaemon(): number | undefined {
    return this.#life.generation.superdaemon;
  }

  /** What this process got from its predecessor and leaves to its successor, beside the sockets. */
  get carried(): Carried {
    return this.#life.generation.carried;
  }

  /**
   * Inherits or binds one socket. It accepts from {@link GraceListener.serve} on,
   * and in a successor from {@link ready} on.
   *
   * @param address - see `parseAddress()` of `ts-grace`.
   * @throws GraceError `ADDRESS_*`, `NOT_A_SOCKET`, `SOCKET_NOT_PASSED`, `INHERITANCE_INVALID`, `OPTION_INVALID`
   */
  async listen(address: string | number, options: ListenOptions = {}): Promise<GraceListener> {
    const [listener] = await this.listenAll([{ ...options, address }]);
    return listener!;
  }

  /**
   * {@link listen} for several sockets, all or none. Sockets that systemd passed without names match best this way.
   *
   * @throws GraceError as {@link listen} does.
   */
  async listenAll(claims: readonly Claim[]): Promise<GraceListener[]> {
    return this.#life.listen(claims);
  }

  /** Adds a socket on which a server listens already, or will when it accepts. */
  protected join(listener: GraceListener, before?: GraceListener): Promise<void> {
    return this.#life.generation.join(listener, before);
  }

  /**
   * Takes over from the predecessor, if there is one, and serves: all sockets
   * accept, the pid file names this process, and the predecessor stops accepting.
   * Until the predecessor has acknowledged that this process is ready, or has died,
   * this process touches no file that the predecessor uses to serve.
   *
   * @throws GraceError `ADDRESS_*`, `INHERITANCE_INVALID`, `PID_FILE`, `STATE_INVALID`
   */
  async ready(): Promise<void> {
    return this.#life.ready();
  }

  /**
   * Starts a successor and hands over to it. This process serves until the
   * successor is ready, and then drains. A call during a restart returns the
   * running one and queues one more.
   *
   * @throws GraceError `RESTART_FAILED` (this process keeps serving),
   * `RESTART_UNSUPPORTED`, also under start_server, `OPTION_INVALID`, `STATE_INVALID` before it is ready and while it drains
   */
  async restart(options: RestartOptions = {}): Promise<{ readonly pid: number }> {
    return this.#life.restart(options);
  }

  /** Drains without a successor. Fulfils when nothing is left; with the option `exit` the process exits right after. */
  async stop(): Promise<void> {
    return this.#life.stop();
  }

  /**
   * Fulfils when this process has drained, for any reason.
   *
   * @throws the error of the first server that failed, when the process has drained.
   */
  wait(): Promise<Closed> {
    return this.#life.outcome.ended;
  }

  /** One server can accept no more: all servers drain, and {@link wait} rejects with the error. */
  protected fail(error: unknown): void {
    void this.#life.fail(error);
  }

  /** Undoes a start that failed: releases what was bound, and leaves inherited sockets to the predecessor. */
  protected abandon(): void {
    this.#life.abandon();
  }
}

function checked(options: GraceOptions, called: typeof Grace): Settings {
  try {
    return readOptions(options);
  } catch (error) {
    throw atCall(error, called);
  }
}
