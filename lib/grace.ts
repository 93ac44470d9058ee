import { drain } from './drain.js';
import { GraceError } from './errors.js';
import { type Closed, type DrainReason, Events, type State } from './events.js';
import { Following } from './follow/following.js';
import { Carried } from './handoff/carried.js';
import { removePidFile, writePidFile } from './handoff/pid-file.js';
import { type Launch, type ReadySuccessor, type RestartOptions, Restarts } from './handoff/restarts.js';
import { Successor } from './handoff/successor.js';
import { findInheritance } from './inherit/inherit.js';
import { type Inheritance, generationOf, predecessorPid, superdaemonPid } from './inherit/inheritance.js';
import { processState } from './inherit/process-state.js';
import { successorEnvironment } from './inherit/start-environment.js';
import { logger, warn } from './log.js';
import { type GraceOptions, type Settings, readOptions } from './options.js';
import { Signals } from './signals.js';
import { type Claim, type ListenOptions, claimSockets, closeUnclaimed } from './socket/claim.js';
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
export class Grace extends Events {
  /** The options, every default filled in. */
  readonly settings: Settings;
  readonly #sockets: GraceListener[] = [];
  readonly #carried = new Carried();
  readonly #restarts: Restarts;
  readonly #signals: Signals;
  readonly #ended: Promise<Closed>;
  #end!: (closed: Closed | Promise<never>) => void;
  #serverError: { readonly error: unknown } | undefined;
  #state: State = 'starting';
  #reason: DrainReason | undefined;
  #inheritance: Inheritance | undefined;
  readonly #notify: NotifyVariables | undefined;
  #systemd: Systemd | undefined;
  readonly #following: Following;

  /** @throws GraceError `OPTION_INVALID`; `STATE_INVALID` if this process has a Grace or App that is not closed. */
  constructor(options: GraceOptions = {}) {
    super();
    this.settings = readOptions(options);
    const other = processState.grace?.state ?? 'closed';
    if (other !== 'closed') throw wrongState(`this process already has a Grace or App, which is ${other}; only one is possible`, other);
    processState.grace = this;
    this.#notify = takeNotifyVariables(process.env);
    this.#following = new Following(this.settings);
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    // A program need not call wait(), so a rejection may stay unhandled.
    this.#ended.catch(() => undefined);
    this.#restarts = new Restarts(this, {
      begin: () => this.emit('restarting'),
      start: (launch) => this.#startSuccessor(launch),
      handOver: (ready, again) => this.#handOver(ready, again),
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

  /** The sockets of this process, in the order in which it listened. */
  get sockets(): readonly GraceListener[] {
    return this.#sockets;
  }

  /** 1 in the first process, one more in each successor. Known after the first {@link listen}. */
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

  /** What the predecessor left under a key; known after the first {@link listen}. */
  carried(key: string): unknown {
    return this.#carried.get(key);
  }

  /** Tells the successor something while this process drains; does nothing if there is none. `value` has to be JSON. */
  tell(key: string, value: unknown): void {
    this.#carried.tell(key, value);
  }

  /**
   * Hears what the predecessor tells under a key while it drains, and that it is
   * gone. Call it after the first {@link listen}.
   *
   * @returns whether there is a predecessor.
   */
  hear(key: string, onNews: (value: unknown) => void, onGone: () => void = () => undefined): boolean {
    return this.#carried.hear(key, onNews, onGone);
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
    const listeners = await claimSockets(claims, await this.#inherit());
    this.#sockets.push(...listeners);
    return listeners;
  }

  /**
   * Says that this process serves: to its predecessor, which then stops accepting,
   * and by the pid file.
   *
   * @throws GraceError `PID_FILE`, `STATE_INVALID`
   */
  async ready(): Promise<void> {
    this.#expect('starting', 'be ready');
    const { predecessor, unclaimed } = await this.#inherit();
    if (this.settings.pidFile !== undefined) writePidFile(this.settings.pidFile);
    this.#state = 'serving';
    for (const listener of this.#sockets) listener.own();
    if (predecessor !== undefined) {
      predecessor.onRestart = () => this.#signals.requestRestart('the previous process');
      if (predecessor.follow !== undefined) this.#joinFirstProcess(predecessor.follow);
      predecessor.ready(this.#sockets.map(({ fd }) => fd));
    }
    for (const socket of unclaimed) closeUnclaimed(socket, predecessor?.alive === true);
    unclaimed.clear();
    log('generation %d is ready', this.generation);
    this.emit('ready');
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
    for (const listener of this.#sockets) listener.release();
    this.#state = 'closed';
    this.#signals.remove();
    this.#removeFiles();
    this.#end({ cutOff: [], code: 1 });
  }

  async #inherit(): Promise<Inheritance> {
    if (this.#notify !== undefined) this.#systemd ??= new Systemd(this, this.#notify);
    this.#inheritance ??= await findInheritance();
    this.#carried.predecessor = this.#inheritance.predecessor;
    return this.#inheritance;
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
      passOn: (signal) => process.kill(this.#carried.successor!.pid!, signal),
    });
  }

  #startSuccessor({ command, env, timeout }: Launch): Successor {
    return new Successor({
      command,
      env: successorEnvironment(...env),
      generation: this.generation + 1,
      sockets: this.#sockets.filter(({ listening }) => listening).map((listener) => listener.describe()),
      state: this.#carried.collect(),
      timeout,
      follow: this.#following.descriptor(this.generation),
      serviceManager: this.#systemd?.environment,
    });
  }

  #restartFailed(error: GraceError): void {
    this.#systemd?.restartFailed(error);
    if (!this.emit('restart-failed', error)) warn(error.message);
  }

  #handOver({ successor, pid, kept }: ReadySuccessor, again: boolean): void {
    this.#carried.successor = successor;
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
    const { cutOff, failure } = await drain({
      listeners: this.#sockets,
      handedOver,
      // After a hand-over the successor serves, so load balancers need no notice.
      delay: reason === 'stop' ? drainDelay : 0,
      timeout: drainTimeout,
      onShutdown,
    });
    // A successor that was stopped still holds the sockets.
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
    this.#carried.successor?.leave();
    this.#end(this.#serverError === undefined ? closed : Promise.reject(this.#serverError.error));
  }

  /** Removes what only the last owner removes; the files of a successor stay. */
  #removeFiles(): void {
    if (this.settings.pidFile !== undefined) removePidFile(this.settings.pidFile);
    if (this.#reason !== 'stop') return;
    for (const listener of this.#sockets) listener.removeFile();
  }

  /** A process that stops before it is ready leaves its sockets to the predecessor, which still serves on them. */
  #servedByPredecessor(): ReadonlySet<number> {
    if (this.#inheritance?.predecessor?.alive !== true) return NOTHING_KEPT;
    return new Set(this.#sockets.filter(({ inherited }) => inherited).map(({ fd }) => fd));
  }

  #expect(state: State, what: string): void {
    if (this.#state === state) return;
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
