import { type Socket } from 'node:net';
import { type Writable } from 'node:stream';
import { formatTime } from './deadline.js';
import { drain } from './drain.js';
import { type GraceError } from './errors.js';
import { type Closed, type DrainReason, Events, type State } from './events.js';
import { Following } from './follow/following.js';
import { restartSummary } from './handoff/restart-error.js';
import { type Launch, type RestartOptions, Restarts, type ServingSuccessor } from './handoff/restarts.js';
import { Successor } from './handoff/successor.js';
import { type Carried } from './inherit/carried.js';
import { Generation, wrongState } from './inherit/generation.js';
import { processState } from './inherit/process-state.js';
import { Probation } from './probation/probation.js';
import { type Standby } from './probation/standby.js';
import { successorEnvironment } from './inherit/start-environment.js';
import { flushCompileCache } from './lifetime/compile-cache.js';
import { Lifetime } from './lifetime/lifetime.js';
import { LateSignal } from './late-signal.js';
import { logger, report, reportTo } from './log.js';
import { type Adopter, type Adopters, checkKept } from './move/adopters.js';
import { keepConnection } from './move/kept.js';
import { type ConnectionReceiver } from './move/receiver.js';
import { type GraceOptions, type Settings, readOptions } from './options.js';
import { exit } from './signals/exit.js';
import { type Situation, howToForce } from './signals/meaning.js';
import { SelfSent } from './signals/self-sent.js';
import { Signals } from './signals/signals.js';
import { type Claim, type ListenOptions } from './socket/claim.js';
import { describeInFlight } from './socket/service.js';
import { type GraceListener } from './socket/listener.js';
import { type NotifyVariables, takeNotifyVariables } from './systemd/notify-variables.js';
import { Systemd } from './systemd/systemd.js';

const log = logger('grace');

processState.copies += 1;

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
  readonly #own: Generation;
  readonly #restarts: Restarts;
  readonly #signals: Signals;
  readonly #selfSent: SelfSent;
  readonly #stopReporting: () => void;
  readonly #ended: Promise<Closed>;
  #end!: (closed: Closed | Promise<never>) => void;
  #serverError: { readonly error: unknown } | undefined;
  #state: State = 'starting';
  #reason: DrainReason | undefined;
  readonly #notify: NotifyVariables | undefined;
  #systemd: Systemd | undefined;
  readonly #following: Following;
  readonly #lifetime: Lifetime;
  /** Whether a new process proves itself before the old one leaves. */
  readonly probation: Probation;
  /** For a message: how to end the drain at once, if a signal began it. */
  #toForce = '';
  readonly #leaving = new LateSignal();
  readonly #closing = new LateSignal();

  /** @throws GraceError `OPTION_INVALID`; `STATE_INVALID` if this process has a Grace or App that is not closed. */
  constructor(options: GraceOptions = {}) {
    super();
    this.settings = readOptions(options);
    const other = processState.grace?.state ?? 'closed';
    if (other !== 'closed') throw wrongState(`this process already has a Grace or App, which is ${other}; only one is possible`, other);
    processState.grace = this;
    this.#notify = takeNotifyVariables(process.env);
    this.#own = new Generation(this.settings, () => this.#state);
    this.probation = new Probation({ settings: this.settings, carried: this.carried, giveBack: () => this.#giveBack() });
    this.#stopReporting = this.settings.log === undefined ? () => undefined : reportTo(this.settings.log);
    this.#selfSent = new SelfSent(this.settings.signals.stop);
    this.#following = new Following(this.settings, this.#selfSent, { pid: process.pid, systemd: this.#notify !== undefined });
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    // A program need not call wait(), so a rejection may stay unhandled.
    this.#ended.catch(() => undefined);
    this.#restarts = new Restarts(this, {
      begin: async () => {
        this.emit('restarting');
        await this.probation.end();
        await this.#systemd?.restarting();
      },
      start: (launch) => this.#startSuccessor(launch),
      handOver: (serving, again) => this.#handOver(serving, again),
      failed: (error) => this.#restartFailed(error),
    }, this.#following);
    this.#signals = this.#handleSignals();
    this.#lifetime = new Lifetime(this);
  }

  get state(): State {
    return this.#state;
  }

  /** Why this process drains or drained. */
  get reason(): DrainReason | undefined {
    return this.#reason;
  }

  /**
   * Aborted when this process drains and takes no new connections: responses
   * without an end, for example event streams, should end now.
   */
  get signal(): AbortSignal {
    return this.#leaving.signal;
  }

  /** Aborted shortly before `drainTimeout` ends, by a sixth of it or 5 s: what still runs should end now, before it is cut off. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Restarts of this process that failed. */
  get failedRestarts(): number {
    return this.#restarts.failed;
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
    this.#own.expect('starting', 'adopt connections');
    this.adopters.add(kind, adopter as Adopter<Writable>);
  }

  /** @internal */
  protected get adopters(): Adopters {
    return this.#own.adopters;
  }

  /** Connections that the successor has taken so far. */
  get moved(): number {
    return this.carried.successor?.moved ?? 0;
  }

  /** @internal Connections that come from the predecessor. */
  protected get arrivals(): ConnectionReceiver {
    return this.#own.arrivals;
  }

  /** The sockets of this process, in the order in which it listened. */
  get sockets(): readonly GraceListener[] {
    return this.#own.sockets;
  }

  /** 1 in the first process, one more in each successor. Known after the first {@link listen}. */
  get generation(): number {
    return this.#own.number;
  }

  /** Pid of the process that handed over to this one. */
  get predecessor(): number | undefined {
    return this.#own.predecessor;
  }

  /** @internal Whether other processes serve until this one is ready. */
  protected get replaces(): boolean {
    return this.#own.servedByPredecessor.size > 0;
  }

  /** Pid of the start_server that restarts this process, as long as it lives. */
  get superdaemon(): number | undefined {
    return this.#own.superdaemon;
  }

  /** What this process got from its predecessor and leaves to its successor, beside the sockets. */
  get carried(): Carried {
    return this.#own.carried;
  }

  /**
   * Inherits or binds one socket. It accepts from {@link GraceListener.serve} on,
   * and in a successor from {@link ready} on.
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
    this.#beginSystemd();
    return this.#own.listen(claims);
  }

  /** Adds a socket on which a server listens already, or will when it accepts. */
  protected join(listener: GraceListener): Promise<void> {
    return this.#own.join(listener);
  }

  /**
   * Takes over from the predecessor, if there is one, and serves: all sockets
   * accept, the pid file names this process, and the predecessor stops accepting.
   * Until the predecessor has acknowledged that this process is ready, or has died,
   * this process does not touch what the predecessor uses to serve.
   *
   * @throws GraceError `ADDRESS_*`, `INHERITANCE_INVALID`, `PID_FILE`, `STATE_INVALID`
   */
  async ready(): Promise<void> {
    this.#beginSystemd();
    flushCompileCache();
    const inheritance = this.#state === 'draining' ? undefined : await this.#own.takeOver();
    if (inheritance === undefined) return this.#neverReady();
    this.#state = 'serving';
    const { predecessor } = inheritance;
    if (predecessor !== undefined) {
      predecessor.onRestart = () => this.#signals.requestRestart('the previous process');
      if (predecessor.follow !== undefined) this.#joinFirstProcess(predecessor.follow);
    }
    this.#own.reportServing();
    this.probation.begin();
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
    this.#own.expect('serving', 'restart');
    return this.#restarts.request(options);
  }

  /** Drains without a successor. Fulfils when nothing is left; with the option `exit` the process exits right after. */
  async stop(): Promise<void> {
    void this.probation.end();
    if (this.#state === 'starting' || this.#state === 'serving') {
      this.#restarts.cancel();
      await this.#drain('stop', this.#state === 'starting' ? this.#own.servedByPredecessor : NOTHING_KEPT);
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
    for (const listener of this.sockets) listener.release();
    this.#state = 'closed';
    this.#removeFiles();
    this.#removeHandlers();
    this.#end({ cutOff: [], code: 1 });
  }

  /** Not in the constructor: an invalid variable of systemd's is an error of listen() and ready(). */
  #beginSystemd(): void {
    if (this.#notify !== undefined) this.#systemd ??= new Systemd(this, this.#notify);
  }

  #handleSignals(): Signals {
    return new Signals(this.settings.signals, this.#selfSent, {
      situation: () => this.#situation(),
      drain: (signal) => {
        this.#toForce = howToForce(signal, this.#situation());
        void this.stop();
      },
      restart: () => this.restart(),
      reportDrain: () => this.#systemd?.reportDrain(),
      cutOff: (signal) => {
        report(`${signal} again: cutting off ${this.#inFlight()}`);
        this.sockets.forEach((listener) => listener.cutOff());
      },
      beforeExit: () => {
        this.#restarts.kill();
        this.#removeFiles();
      },
      passOn: (signal, self) => this.#following.passOn(this.carried, { signal, self }),
    });
  }

  #situation(): Situation {
    return {
      state: this.#state,
      reason: this.#reason,
      systemd: this.#systemd !== undefined,
      superdaemon: this.superdaemon,
      firstProcess: this.#following.isFirst || (this.#systemd !== undefined && this.probation.standby !== undefined),
      forceExit: this.settings.forceExit,
    };
  }

  #inFlight(): string {
    return describeInFlight(this.sockets.map((listener) => listener.inFlight()));
  }

  #startSuccessor({ command, env, timeout }: Launch): Successor {
    return new Successor({
      command,
      env: successorEnvironment(...env),
      generation: this.generation + 1,
      sockets: this.sockets.filter(({ listening }) => listening).map((listener) => listener.describe()),
      state: this.carried.collect(),
      timeout,
      follow: this.#following.descriptor(this.generation),
      onAsk: (key, value) => this.carried.asked(key, value),
      serviceManager: this.#systemd?.environment,
      moves: this.settings.moveConnections,
      watches: this.probation.terms.time > 0,
    });
  }

  async #restartFailed(error: GraceError): Promise<void> {
    // A process that stops has already told systemd so; its restart was given up.
    if (this.#state === 'serving') {
      await this.#own.restoreFiles();
      this.#systemd?.restartFailed(error);
    }
    report(restartSummary(error));
    this.emit('restart-failed', error);
  }

  #handOver({ successor, pid, kept }: ServingSuccessor, again: boolean): void {
    this.carried.successor = successor;
    successor.release(again);
    this.#following.handOver(successor, pid);
    report(`restarted: process ${pid} serves${this.#following.isFirst ? ', this first process stays (option follow)' : ''}`);
    this.emit('restarted', { pid });
    this.probation.stand({
      successor,
      listeners: this.sockets.filter(({ fd }) => kept.has(fd)),
      stopSignals: this.settings.signals.stop,
    });
    void this.#drain('handover', kept);
  }

  /** The successor has failed on probation. */
  async #takeBack(standby: Standby): Promise<void> {
    this.#state = 'serving';
    this.#reason = undefined;
    this.#leaving.renew();
    this.#closing.renew();
    this.#restarts.reset();
    this.#following.takeBack();
    await standby.resume(this.sockets);
    await this.#own.restoreFiles();
    const failed = this.carried.successor;
    const error = await standby.report();
    if (this.carried.successor === failed) this.carried.successor = undefined;
    this.#systemd?.restartFailed(error);
    report(restartSummary(error));
    this.emit('restart-reverted', error);
  }

  /** This process has failed on probation, and its predecessor serves again. */
  #giveBack(): void {
    if (this.#state !== 'serving') return;
    report('taken back: the previous process serves again');
    this.#following.giveBack();
    void this.#drain('handover', this.#own.servedByPredecessor);
  }

  async #drain(reason: DrainReason, handedOver: ReadonlySet<number>): Promise<void> {
    this.#state = 'draining';
    this.#reason = reason;
    const { drainDelay, drainTimeout, handoverTime, onShutdown } = this.settings;
    report(`draining ${this.#inFlight()}, up to ${formatTime(drainTimeout)}${this.#toForce}`);
    this.emit('draining', { reason });
    const begin = performance.now();
    if (reason === 'stop') this.arrivals.refuse();
    const { standby } = this.probation;
    const result = await drain({
      listeners: this.sockets,
      handedOver,
      onward: ({ fd }) => this.carried.successor?.onward(fd),
      takeBack: (kind, connection, adopted) => this.adopters.takeBack(kind, connection, adopted),
      noneComes: this.arrivals.ended,
      spread: reason === 'handover' && this.carried.successor !== undefined ? handoverTime : 0,
      hurried: this.#lifetime.hurried,
      // After a hand-over the successor serves, so load balancers need no notice.
      delay: reason === 'stop' ? drainDelay : 0,
      // The kernel gives connections to a successor that is being stopped, too, and would reset them when this process is
      // the first to close the socket.
      after: Promise.all([this.#restarts.settled(), standby?.prepared, reason === 'stop' ? this.probation.end() : undefined]),
      proven: standby?.proven ?? Promise.resolve(true),
      timeout: drainTimeout,
      onShutdown,
      onBegin: () => this.#leaving.abort(`this process drains: ${reason}`),
      onClosing: () => this.#closing.abort('the drain deadline is near'),
    });
    if (result === undefined) return this.#takeBack(standby!);
    const { cutOff, failure } = result;
    // At the deadline, a successor that was stopped may still be there.
    this.#restarts.kill();
    await this.#restarts.settled();
    await this.#systemd?.finish(drainTimeout - (performance.now() - begin));
    const code = cutOff.length > 0 || failure !== undefined || this.#serverError !== undefined ? 1 : 0;
    this.#close({ cutOff, code });
    if (!this.settings.exit) return;
    if (this.#following.ended !== undefined) return exit(await this.#following.ended);
    // After the microtasks, so that code that awaits wait() or stop() still runs.
    setImmediate(() => exit(code));
  }

  #close(closed: Closed): void {
    this.#state = 'closed';
    this.#removeFiles();
    // A process that exits now must not be ended by one more signal, with another exit code.
    if (!this.settings.exit) this.#removeHandlers();
    this.emit('closed', closed);
    this.#own.leave();
    this.#end(this.#serverError === undefined ? closed : Promise.reject(this.#serverError.error));
  }

  #removeHandlers(): void {
    this.#signals.remove();
    this.#selfSent.remove();
    this.probation.removeHandlers();
    this.#stopReporting();
  }

  /** Removes what only the last owner removes; the files of a successor stay. */
  #removeFiles(): void {
    this.#own.removeFiles({ sockets: this.#reason === 'stop' });
  }

  /** This process stops while it becomes ready. With the option `exit` it ends without an error of ready(). */
  async #neverReady(): Promise<void> {
    await this.#ended.catch(() => undefined);
    if (this.settings.exit) return new Promise(() => undefined);
    throw wrongState('this process was stopped before it was ready', this.#state);
  }

  #joinFirstProcess(fd: number): void {
    const onAlone = (): void => {
      log('the first process is gone, so this service counts as stopped');
      if (this.#state === 'serving') void this.stop();
    };
    this.#following.join(fd, this.carried, ({ signal, self }) => this.#signals.forwarded(signal, self), onAlone);
  }
}
