import { formatTime } from '../deadline.js';
import { type GraceError, messageOf } from '../errors.js';
import { type Closed, type DrainReason, type Events, type State } from '../events.js';
import { Following } from '../follow/following.js';
import { loadForRestart } from '../handoff/load-ahead.js';
import { restartSummary } from '../handoff/restart-error.js';
import { type RestartOptions, Restarts, type RestartSteps, type ServingSuccessor } from '../handoff/restarts.js';
import { Generation, wrongState } from '../inherit/generation.js';
import { flushCompileCache } from '../lifetime/compile-cache.js';
import { Lifetime, type Living } from '../lifetime/lifetime.js';
import { logger, report, reportTo } from '../log.js';
import { type Settings } from '../options.js';
import { Probation } from '../probation/probation.js';
import { type Standby } from '../probation/standby.js';
import { endingSignals } from '../signals/meaning.js';
import { SelfSent } from '../signals/self-sent.js';
import { Signals } from '../signals/signals.js';
import { type Claim } from '../socket/claim.js';
import { type GraceListener } from '../socket/listener.js';
import { describeInFlight } from '../socket/service.js';
import { type NotifyVariables, takeNotifyVariables } from '../systemd/notify-variables.js';
import { type Reported, Systemd } from '../systemd/systemd.js';
import { drain } from './drain.js';
import { planDrain } from './drain-plan.js';
import { hearPredecessor } from './hear-predecessor.js';
import { LazySignal } from './lazy-signal.js';
import { Outcome } from './outcome.js';
import { type Parts } from './parts.js';
import { signalActions } from './signal-actions.js';
import { startSuccessor } from './start-successor.js';

const log = logger('grace');

/** The object of the program, by which it hears of what happens. */
export type Host = Events & Reported & Living;

/**
 * The states of a serving process: it starts, serves, drains and is closed. On
 * probation a process that drains may come to serve again.
 */
export class Life implements Parts {
  readonly settings: Settings;
  readonly generation: Generation;
  readonly restarts: Restarts;
  readonly following: Following;
  readonly probation: Probation;
  readonly lifetime: Lifetime;
  readonly leaving = new LazySignal();
  readonly closing = new LazySignal();
  readonly outcome = new Outcome();
  handedOver: ReadonlySet<number> = new Set();
  toForce = '';
  readonly #host: Host;
  readonly #signals: Signals;
  readonly #removers: readonly (() => void)[];
  readonly #notify: NotifyVariables | undefined;
  #systemd: Systemd | undefined;
  #state: State = 'starting';
  #reason: DrainReason | undefined;

  constructor(host: Host, settings: Settings) {
    this.#host = host;
    this.settings = settings;
    this.#notify = takeNotifyVariables(process.env);
    this.generation = new Generation(settings, () => this.#state);
    const { carried } = this.generation;
    this.probation = new Probation({ settings, carried, giveBack: () => this.#giveBack() });
    const selfSent = new SelfSent(settings.signals.stop);
    this.following = new Following(settings, selfSent, { pid: process.pid, systemd: this.#notify !== undefined });
    const steps: RestartSteps = {
      begin: () => this.#beginRestart(),
      start: (launch) => startSuccessor(this, launch),
      handOver: (serving, again) => this.#handOver(serving, again),
      failed: (error) => this.#restartFailed(error),
    };
    this.restarts = new Restarts(this, steps, this.following);
    this.#signals = new Signals(settings.signals, selfSent, signalActions(this));
    this.lifetime = new Lifetime(host, { settings, carried });
    this.#removers = [
      () => this.#signals.remove(),
      () => selfSent.remove(),
      this.probation.removeHandlers,
      ...(settings.log === undefined ? [] : [reportTo(settings.log)]),
    ];
  }

  get state(): State {
    return this.#state;
  }

  get reason(): DrainReason | undefined {
    return this.#reason;
  }

  get sockets(): readonly GraceListener[] {
    return this.generation.sockets;
  }

  get superdaemon(): number | undefined {
    return this.generation.superdaemon;
  }

  get systemd(): Systemd | undefined {
    return this.#systemd;
  }

  get inFlight(): string {
    return describeInFlight(this.sockets.map((listener) => listener.inFlight()));
  }

  /** Claims sockets, all or none; see Generation. */
  async listen(claims: readonly Claim[]): Promise<GraceListener[]> {
    this.#beginSystemd();
    return this.generation.listen(claims);
  }

  /** `starting` → `serving`. */
  async ready(): Promise<void> {
    this.#beginSystemd();
    const inheritance = this.#state === 'draining' ? undefined : await this.generation.takeOver();
    if (inheritance === undefined) return this.#neverReady();
    this.#state = 'serving';
    const { predecessor } = inheritance;
    if (predecessor !== undefined) hearPredecessor(this, predecessor, this.#signals);
    this.generation.reportServing();
    flushCompileCache();
    if (this.superdaemon === undefined) loadForRestart();
    this.probation.begin();
    log('generation %d is ready', this.generation.number);
    this.#host.emit('ready');
  }

  /** `serving` → `draining`, if the successor becomes ready. */
  async restart(options: RestartOptions): Promise<{ readonly pid: number }> {
    this.generation.expect('serving', 'restart');
    return this.restarts.request(options);
  }

  /** `starting` or `serving` → `draining` → `closed`. */
  async stop(): Promise<void> {
    void this.probation.end();
    if (this.#state === 'starting' || this.#state === 'serving') {
      this.restarts.cancel();
      await this.#drain('stop', this.#state === 'starting' ? this.generation.servedByPredecessor : new Set());
    }
    await this.outcome.ended.catch(() => undefined);
  }

  /** One server can accept no more, so all servers drain. On probation, the previous process serves again. */
  async fail(error: unknown): Promise<void> {
    this.outcome.fail(error);
    const isTakenBack = this.#state === 'serving' && (await this.probation.fail(messageOf(error)));
    if (!isTakenBack) await this.stop();
  }

  /** `starting` → `closed`: undoes a start that failed. */
  abandon(): void {
    if (this.#state !== 'starting') return;
    for (const listener of this.sockets) listener.release();
    this.#state = 'closed';
    this.removeFiles();
    this.#removeHandlers();
    this.outcome.close({ cutOff: [], code: 1 });
  }

  removeFiles(): void {
    this.generation.removeFiles({ sockets: this.#reason === 'stop' });
  }

  /** Not in the constructor: an invalid variable of systemd's is an error of listen() and ready(). */
  #beginSystemd(): void {
    if (this.#notify !== undefined) this.#systemd ??= new Systemd(this.#host, this.#notify);
  }

  async #beginRestart(): Promise<void> {
    this.#host.emit('restarting');
    await this.probation.end();
    await this.#systemd?.restarting();
  }

  async #restartFailed(error: GraceError): Promise<void> {
    // A process that stops has already told systemd so; its restart was given up.
    if (this.#state === 'serving') {
      await this.generation.restoreFiles();
      this.#systemd?.restartFailed(error);
    }
    report(restartSummary(error));
    this.#host.emit('restart-failed', error);
  }

  #handOver({ successor, pid, kept }: ServingSuccessor, again: boolean): void {
    this.generation.carried.successor = successor;
    successor.release(again);
    this.following.handOver(successor, pid);
    report(`restarted: process ${pid} serves${this.following.isFirst ? ', this first process stays (option follow)' : ''}`);
    const standby = this.probation.stand({
      successor,
      listeners: this.sockets.filter(({ fd }) => kept.has(fd)),
      stopSignals: endingSignals(this.settings.signals, this.following.isFirst || this.#systemd !== undefined),
    });
    // Not earlier: a listener of this event asks whether this process stands by.
    this.#host.emit('restarted', { pid });
    void this.#drain('handover', kept, standby);
  }

  /** `draining` → `serving`: the successor has failed on probation. */
  async #takeBack(standby: Standby): Promise<void> {
    const { carried } = this.generation;
    this.#state = 'serving';
    this.#reason = undefined;
    this.leaving.renew();
    this.closing.renew();
    this.restarts.reset();
    this.following.takeBack();
    await standby.resume(this.sockets);
    await this.generation.restoreFiles();
    const failed = carried.successor;
    const error = await standby.report();
    if (carried.successor === failed) carried.successor = undefined;
    this.#systemd?.restartFailed(error);
    report(restartSummary(error));
    this.#host.emit('restart-reverted', error);
  }

  /** This process has failed on probation, and its predecessor serves again. It may have been told to stop meanwhile. */
  #giveBack(): void {
    if (this.#state === 'closed') return;
    report('taken back: the previous process serves again');
    this.following.giveBack();
    const { servedByPredecessor } = this.generation;
    if (this.#state === 'serving') return void this.#drain('handover', servedByPredecessor);
    this.#reason = 'handover';
    this.handedOver = servedByPredecessor;
  }

  /** → `draining` → `closed`. */
  async #drain(reason: DrainReason, handedOver: ReadonlySet<number>, standby?: Standby): Promise<void> {
    this.#state = 'draining';
    this.#reason = reason;
    this.handedOver = handedOver;
    const { drainTimeout } = this.settings;
    report(`draining ${this.inFlight}, up to ${formatTime(drainTimeout)}${this.toForce}`);
    this.#host.emit('draining', { reason });
    const begin = performance.now();
    if (reason === 'stop') this.generation.arrivals.refuse();
    const result = await drain(planDrain(this, reason, standby));
    if (result === undefined) return this.#takeBack(standby!);
    const { cutOff, failure } = result;
    // At the deadline, a successor that was stopped may still be there.
    this.restarts.kill();
    await this.restarts.settled();
    await this.#systemd?.finish(drainTimeout - (performance.now() - begin));
    const code = cutOff.length > 0 || failure !== undefined || this.outcome.failed ? 1 : 0;
    this.#close({ cutOff, code });
    if (this.settings.exit) await this.following.exit(code);
  }

  #close(closed: Closed): void {
    this.#state = 'closed';
    this.removeFiles();
    // A process that exits now must not be ended by one more signal, with another exit code.
    if (!this.settings.exit) this.#removeHandlers();
    this.#host.emit('closed', closed);
    this.generation.leave();
    this.outcome.close(closed);
  }

  #removeHandlers(): void {
    for (const remove of this.#removers) remove();
  }

  /** This process stops while it becomes ready. With the option `exit` it ends without an error of ready(). */
  async #neverReady(): Promise<void> {
    await this.outcome.ended.catch(() => undefined);
    if (this.settings.exit) return new Promise(() => undefined);
    throw wrongState('this process was stopped before it was ready', this.#state);
  }
}
