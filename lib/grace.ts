import { drain } from './drain.js';
import { GraceError } from './errors.js';
import { type Closed, type DrainReason, type State } from './events.js';
import { Following } from './follow/following.js';
import { successorCommand } from './launch/command.js';
import { PidFile } from './handoff/pid-file.js';
import { type RestartOptions, Restarts, type ServingSuccessor } from './handoff/restarts.js';
import { Successor } from './handoff/successor.js';
import { Generation } from './inherit/generation.js';
import { type Inheritance } from './inherit/inheritance.js';
import { processState } from './inherit/process-state.js';
import { reportServing, takeOver } from './inherit/take-over.js';
import { logger, warn } from './log.js';
import { type GraceOptions, type Settings, readOptions } from './options.js';
import { ConnectionReceiver } from './move/receiver.js';
import { Signals } from './signals.js';
import { type Claim, type ListenOptions, claimSockets } from './socket/claim.js';
import { type GraceListener } from './socket/listener.js';
import { type NotifyVariables, takeNotifyVariables } from './systemd/notify-variables.js';
import { Systemd } from './systemd/systemd.js';

const log = logger('grace');

const NOTHING_KEPT: ReadonlySet<number> = new Set();

/**
 * The life of a serving process: it inherits or binds its sockets, says that it
 * is ready, hands over to a successor when asked to, and drains.
 *
 * @example
 * const grace = new Grace();
 * const listener = await grace.listen('[::1]:5432');
 * await listener.serve(net.createServer(onSocket));
 * await grace.ready();
 */
export class Grace extends Generation {
  /** The options, every default filled in. */
  readonly settings: Settings;
  readonly #sockets: GraceListener[] = [];
  readonly #restarts: Restarts;
  readonly #signals: Signals;
  readonly #ended: Promise<Closed>;
  #end!: (closed: Closed | Promise<never>) => void;
  #serverError: { readonly error: unknown } | undefined;
  #state: State = 'starting';
  #reason: DrainReason | undefined;
  readonly #notify: NotifyVariables | undefined;
  #systemd: Systemd | undefined;
  readonly #following: Following;
  readonly #pidFile: PidFile | undefined;
  #becomingReady = false;
  /** @internal Connections that come from the predecessor. */
  protected readonly arrivals: ConnectionReceiver;

  /** @throws GraceError `OPTION_INVALID`; `STATE_INVALID` if this process has a Grace or App that is not closed. */
  constructor(options: GraceOptions = {}) {
    super();
    this.settings = readOptions(options);
    const other = processState.grace?.state ?? 'closed';
    if (other !== 'closed') throw wrongState(`this process already has a Grace or App, which is ${other}; only one is possible`, other);
    processState.grace = this;
    this.#notify = takeNotifyVariables(process.env);
    this.#following = new Following(this.settings);
    this.arrivals = new ConnectionReceiver(this.settings.moveConnections ? processState.channel : undefined);
    if (this.settings.pidFile !== undefined) this.#pidFile = new PidFile(this.settings.pidFile);
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    // A program need not call wait(), so a rejection may stay unhandled.
    this.#ended.catch(() => undefined);
    this.#restarts = new Restarts(this, {
      begin: () => this.emit('restarting'),
      start: (timeout) => this.#startSuccessor(timeout),
      handOver: (serving, again) => this.#handOver(serving, again),
      failed: (error) => this.#restartFailed(error),
    });
    this.#signals = this.#handleSignals();
  }

  get state(): State {
    return this.#state;
  }

  /** Why this process drains or drained. */
  get reason(): DrainReason | undefined {
    return this.#reason;
  }

  /** Restarts of this process that failed. */
  get failedRestarts(): number {
    return this.#restarts.failed;
  }

  /** Connections that the successor has taken so far. */
  get moved(): number {
    return this.passesOn.successor?.moved ?? 0;
  }

  /** The sockets of this process, in the order in which it listened. */
  get sockets(): readonly GraceListener[] {
    return this.#sockets;
  }

  /**
   * Inherits or binds one socket. It accepts from {@link GraceListener.serve} on.
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
    this.#expect('starting', 'listen');
    const listeners = await claimSockets(claims, await this.inherit());
    this.#sockets.push(...listeners);
    return listeners;
  }

  /**
   * Takes over from the predecessor, if there is one, and serves: all sockets
   * accept, the pid file names this process, and the predecessor stops accepting.
   * Until the predecessor has acknowledged that this process is ready, or has died,
   * nothing changes that it serves by.
   *
   * @throws GraceError `ADDRESS_*`, `INHERITANCE_INVALID`, `PID_FILE`, `STATE_INVALID`
   */
  async ready(): Promise<void> {
    this.#expect('starting', 'be ready');
    this.#becomingReady = true;
    try {
      await this.#takeOver(await this.inherit());
    } finally {
      this.#becomingReady = false;
    }
  }

  /**
   * Starts a successor and hands over to it. This process serves until the
   * successor is ready, and then drains. A call during a restart returns the
   * running one and queues one more.
   *
   * @throws GraceError `RESTART_FAILED` (this process keeps serving),
   * `RESTART_UNSUPPORTED`, also under start_server, `STATE_INVALID` before it is ready and while it drains
   */
  async restart(options: RestartOptions = {}): Promise<{ readonly pid: number }> {
    this.#expect('serving', 'restart');
    return this.#restarts.request(options);
  }

  /** Drains without a successor. Fulfils when nothing is left; with the option `exit` the process exits right after. */
  async stop(): Promise<void> {
    if (this.#state === 'starting' || this.#state === 'serving') {
      this.#restarts.cancel();
      await this.#drain('stop', this.#state === 'starting' ? this.#servedByPredecessor() : NOTHING_KEPT);
    }
    await this.#ended.catch(() => undefined);
  }

  /** Fulfils when this process has drained, for any reason. Rejects then with the error of the first server that failed. */
  wait(): Promise<Closed> {
    return this.#ended;
  }

  /** One server can accept no more: all servers drain, and {@link wait} rejects with the error. */
  protected fail(error: unknown): void {
    if (this.#serverError === undefined) log('a server failed: %s', error);
    this.#serverError ??= { error };
    void this.stop();
  }

  /** Undoes a start that failed: releases what was bound, and leaves inherited sockets to the predecessor. */
  protected abandon(): void {
    if (this.#state !== 'starting') return;
    for (const listener of this.#sockets) listener.release();
    this.#state = 'closed';
    this.#signals.remove();
    this.#removeFiles();
    this.#end({ cutOff: [], code: 1 });
  }

  protected override async inherit(): Promise<Inheritance> {
    if (this.#notify !== undefined) this.#systemd ??= new Systemd(this, this.#notify);
    return super.inherit();
  }

  #handleSignals(): Signals {
    return new Signals(this.settings.signals, {
      situation: () => ({
        state: this.#state,
        reason: this.#reason,
        systemd: this.#systemd !== undefined,
        superdaemon: this.superdaemon,
        firstProcess: this.#following.isFirst,
      }),
      drain: () => void this.stop(),
      restart: () => this.restart(),
      reportDrain: () => this.#systemd?.reportDrain(),
      cutOff: () => this.#sockets.forEach((listener) => listener.cutOff()),
      beforeExit: () => {
        this.#restarts.kill();
        this.#removeFiles();
      },
      passOn: (signal) => process.kill(this.passesOn.successor!.pid!, signal),
    });
  }

  async #takeOver(inheritance: Inheritance): Promise<void> {
    const [sockets, pidFile] = [this.#sockets, this.#pidFile];
    const done = await takeOver({ sockets, inheritance, pidFile, takes: this.arrivals.kinds, stopped: () => this.#state !== 'starting' });
    if (!done) return this.#neverReady();
    this.#state = 'serving';
    const { predecessor } = inheritance;
    if (predecessor !== undefined) {
      predecessor.onRestart = () => this.#signals.requestRestart('the previous process');
      if (predecessor.follow !== undefined) this.#joinFirstProcess(predecessor.follow);
    }
    reportServing(sockets, inheritance);
    log('generation %d is ready', this.generation);
    this.emit('ready');
  }

  #startSuccessor(timeout: number): Successor {
    return new Successor({
      command: successorCommand(),
      generation: this.generation + 1,
      sockets: this.#sockets.filter(({ listening }) => listening).map((listener) => listener.describe()),
      state: this.passesOn.collect(),
      timeout,
      follow: this.#following.descriptor(this.generation),
      serviceManager: this.#systemd?.environment,
      moves: this.settings.moveConnections && process.platform !== 'win32',
    });
  }

  #restartFailed(error: GraceError): void {
    if (this.#state === 'serving') this.#restoreFiles();
    this.#systemd?.restartFailed(error);
    if (!this.emit('restart-failed', error)) warn(error.message);
  }

  #handOver({ successor, pid, kept }: ServingSuccessor, again: boolean): void {
    this.passesOn.successor = successor;
    successor.release(again);
    this.#following.handOver(successor, pid);
    this.emit('restarted', { pid });
    void this.#drain('handover', kept);
  }

  async #drain(reason: DrainReason, handedOver: ReadonlySet<number>): Promise<void> {
    this.#state = 'draining';
    this.#reason = reason;
    log('draining: %s', reason);
    this.emit('draining', { reason });
    const { drainDelay, drainTimeout, onShutdown } = this.settings;
    const begin = performance.now();
    if (reason === 'stop') this.arrivals.refuse();
    const { cutOff, failure } = await drain({
      listeners: this.#sockets,
      handedOver,
      onward: ({ fd }) => this.passesOn.successor?.onward(fd),
      noneComes: this.arrivals.ended,
      // After a hand-over the successor serves, so load balancers need no notice.
      delay: reason === 'stop' ? drainDelay : 0,
      // The kernel gives connections to a successor that is being stopped, too, and would reset them when this process is
      // the first to close the socket.
      after: this.#restarts.settled(),
      timeout: drainTimeout,
      onShutdown,
    });
    // At the deadline, a successor that was stopped may still be there.
    this.#restarts.kill();
    await this.#restarts.settled();
    await this.#systemd?.finish(drainTimeout - (performance.now() - begin));
    const code = cutOff.length > 0 || failure !== undefined || this.#serverError !== undefined ? 1 : 0;
    this.#close({ cutOff, code });
    if (!this.settings.exit) return;
    if (this.#following.ended !== undefined) process.exit(await this.#following.ended);
    // After the microtasks, so that code that awaits wait() or stop() still runs.
    setImmediate(() => process.exit(code));
  }

  #close(closed: Closed): void {
    this.#state = 'closed';
    this.#signals.remove();
    this.#removeFiles();
    this.emit('closed', closed);
    this.passesOn.predecessor?.leave();
    this.passesOn.successor?.leave();
    this.#end(this.#serverError === undefined ? closed : Promise.reject(this.#serverError.error));
  }

  /** Removes what only the last owner removes; the files of a successor stay. */
  #removeFiles(): void {
    this.#pidFile?.remove();
    if (this.#reason !== 'stop') return;
    for (const listener of this.#sockets) listener.removeFile();
  }

  /** A successor may have replaced them, or somebody deleted them. */
  #restoreFiles(): void {
    this.#pidFile?.restore();
    for (const listener of this.#sockets) void listener.restoreFile();
  }

  /** This process stops while it becomes ready. With the option `exit` it ends without an error of ready(). */
  async #neverReady(): Promise<void> {
    await this.#ended.catch(() => undefined);
    if (this.settings.exit) return new Promise(() => undefined);
    throw wrongState('this process was stopped before it was ready', this.#state);
  }

  /** A process that stops before it is ready leaves its sockets to the predecessor, which still serves on them. */
  #servedByPredecessor(): ReadonlySet<number> {
    if (this.inheritance?.predecessor?.alive !== true) return NOTHING_KEPT;
    return new Set(this.#sockets.filter(({ inherited }) => inherited).map(({ fd }) => fd));
  }

  #expect(state: State, what: string): void {
    if (this.#state === state && !(state === 'starting' && this.#becomingReady)) return;
    throw wrongState(`cannot ${what}: this process is ${this.#state}, expected ${state}`, this.#state);
  }

  #joinFirstProcess(fd: number): void {
    this.#following.join(
      fd,
      (signal) => this.#signals.forwarded(signal),
      () => {
        log('the first process is gone, so this service counts as stopped');
        if (this.#state === 'serving') void this.stop();
      },
    );
  }
}

function wrongState(message: string, value: State): GraceError {
  return new GraceError('STATE_INVALID', message, { subject: 'state', value });
}
