import { Child } from './handoff/successor.js';
import { type Claim, type ListenOptions, claimSockets } from './socket/claim.js';
import { successorCommand } from './handoff/command.js';
import { Deadline } from './deadline.js';
import { drain } from './drain.js';
import { type NotifyVariables, takeNotifyVariables } from './handoff/environment.js';
import { GraceError } from './errors.js';
import { type Closed, type DrainReason, type State } from './events.js';
import { Followed } from './follow/later-generation.js';
import { Follower } from './follow/first-process.js';
import { runHook } from './hook.js';
import { type Inheritance, findInheritance } from './handoff/inherit.js';
import { Lineage } from './handoff/carried.js';
import { type GraceListener } from './socket/listener.js';
import { logger, warn } from './log.js';
import { type GraceOptions, type Settings, milliseconds, readOptions } from './options.js';
import { removePidFile, writePidFile } from './handoff/pid-file.js';
import { asRestartError, refuseUnsupported, whomToAsk } from './handoff/restart-error.js';
import { Restarter } from './handoff/restarter.js';
import { exitCodeOf, onSignals } from './signals.js';
import { Systemd } from './systemd/systemd.js';
import { closeUnclaimed } from './socket/unclaimed.js';

const log = logger('grace');

export interface RestartOptions {
  /** Milliseconds until the successor has to be ready. Default is the option `restartTimeout`. */
  readonly timeout?: number;
}

/** A successor that said it is ready. */
interface Successor {
  readonly child: Child;
  readonly pid: number;
  /** The descriptors that it goes on serving. */
  readonly kept: ReadonlySet<number>;
}

/** What the first process passes on where it follows; what the options name beside these as well. */
const FORWARDED = ['SIGTERM', 'SIGINT', 'SIGUSR2', 'SIGHUP'] as const;

const NOTHING_KEPT: ReadonlySet<number> = new Set();

/** Signals and inherited sockets belong to the process, so one object at a time has them. */
let current: Grace | undefined;

/**
 * The life of a serving process: it inherits or binds its sockets, says that it
 * is ready, hands over to a successor when it is asked to, and drains.
 *
 * @example
 * const grace = new Grace();
 * const listener = await grace.listen('[::1]:5432');
 * await listener.serve(net.createServer(onSocket));
 * await grace.ready();
 */
export class Grace extends Lineage {
  /** The options, every default filled in. */
  readonly settings: Settings;
  readonly #sockets: GraceListener[] = [];
  readonly #restarter: Restarter<Successor>;
  readonly #removeSignals: () => void;
  readonly #ended: Promise<Closed>;
  #end!: (closed: Closed | Promise<never>) => void;
  #fatal: { readonly error: unknown } | undefined;
  #state: State = 'starting';
  #reason: DrainReason | undefined;
  readonly #notify: NotifyVariables | undefined;
  #systemd: Systemd | undefined;
  #child: Child | undefined;
  #failedRestarts = 0;
  #followed: Followed | undefined;
  #follower: Follower | undefined;
  /** A terminal signals all generations, and the first one passes it on: that is one wish, and not two. */
  readonly #stopSignals = { direct: 0, forwarded: 0 };
  #restartTimeout: number;

  /** @throws GraceError `OPTION_INVALID`; `STATE_INVALID` where this process has one that is not closed. */
  constructor(options: GraceOptions = {}) {
    super();
    this.settings = readOptions(options);
    if (current !== undefined && current.state !== 'closed') {
      throw new GraceError('STATE_INVALID', `this process is ${current.state} already; it can have one Grace or App`, {
        subject: 'state',
        value: current.state,
      });
    }
    current = this;
    this.#notify = takeNotifyVariables(process.env);
    this.#restartTimeout = this.settings.restartTimeout;
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    // Nobody has to wait().
    this.#ended.catch(() => undefined);
    this.#restarter = new Restarter(
      () => this.#startSuccessor(),
      (successor, again) => this.#handOver(successor, again),
    );
    const { stop, restart } = this.settings.signals;
    const removers = [
      onSignals(stop, (signal) => this.#onStopSignal(signal, 'direct')),
      onSignals(restart, (signal) => this.#onRestartWish(signal)),
    ];
    this.#removeSignals = () => removers.forEach((remove) => remove());
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
    return this.#failedRestarts;
  }

  /** The sockets of this process, in the order they were asked for. */
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

  /** {@link listen} for several sockets, all or none; sockets from systemd without names match best this way. */
  async listenAll(claims: readonly Claim[]): Promise<GraceListener[]> {
    this.#expect('starting', 'listen');
    const listeners = await claimSockets(claims, await this.#inherit());
    this.#sockets.push(...listeners);
    return listeners;
  }

  /**
   * Says that this process serves: to the process that hands over to it, which
   * stops accepting, and to whoever reads the pid file.
   *
   * @throws GraceError `PID_FILE`, `STATE_INVALID`
   */
  async ready(): Promise<void> {
    this.#expect('starting', 'be ready');
    const { parent, sockets: unclaimed } = await this.#inherit();
    if (this.settings.pidFile !== undefined) writePidFile(this.settings.pidFile);
    this.#state = 'serving';
    for (const listener of this.#sockets) listener.own();
    if (parent !== undefined) {
      parent.onRestart = () => this.#onRestartWish('the previous process');
      if (parent.follow !== undefined) this.#beFollowed(new Followed(parent.follow));
      parent.ready(this.#sockets.map(({ fd }) => fd));
    }
    for (const socket of unclaimed) closeUnclaimed(socket, parent?.alive === true);
    unclaimed.clear();
    log('generation %d is ready', this.generation);
    this.emit('ready');
  }

  /**
   * Starts a successor and hands over to it. This process serves until the
   * successor is ready, and drains then. While a restart runs, this returns that
   * one, and makes it be followed by one more.
   *
   * @throws GraceError `RESTART_FAILED` (this process serves on),
   * `RESTART_UNSUPPORTED`, also under start_server, `STATE_INVALID` before it is ready and while it drains
   */
  async restart(options: RestartOptions = {}): Promise<{ readonly pid: number }> {
    this.#expect('serving', 'restart');
    refuseUnsupported({
      platform: process.platform,
      pid: process.pid,
      descriptors: this.#sockets.map(({ fd }) => fd),
      superdaemon: this.superdaemon,
      follow: this.settings.follow,
    });
    this.#restartTimeout = milliseconds('timeout', options.timeout, this.settings.restartTimeout);
    const { pid } = await this.#restarter.request();
    return { pid };
  }

  /** Drains for good. Fulfils when nothing is left; with the option `exit` the process leaves right after. */
  async stop(): Promise<void> {
    if (this.#state === 'starting' || this.#state === 'serving') {
      this.#restarter.cancel();
      this.#child?.giveUp('was given up, as this process stops');
      await this.#drain('stop', this.#state === 'starting' ? this.#stillServedByParent() : NOTHING_KEPT);
    }
    await this.#ended.catch(() => undefined);
  }

  /** Fulfils when this process has drained, whatever for; rejects then with the error of the first server that failed. */
  wait(): Promise<Closed> {
    return this.#ended;
  }

  /** One server can serve no more: all drain, and {@link wait} rejects with the error. */
  protected fail(error: unknown): void {
    if (this.#fatal === undefined) log('a server failed: %s', error);
    this.#fatal ??= { error };
    void this.stop();
  }

  /** Undoes a start that failed: what was bound is released, what was inherited stays with the parent. */
  protected abandon(): void {
    for (const listener of this.#sockets) listener.release();
    this.#state = 'closed';
    this.#removeSignals();
    this.#removeFiles();
    this.#end({ cutOff: [], code: 1 });
  }

  /** What this process was started with, and whom it reports to. */
  async #inherit(): Promise<Inheritance> {
    if (this.#notify !== undefined) this.#systemd ??= new Systemd(this, this.#notify);
    this.inheritance ??= await findInheritance();
    return this.inheritance;
  }

  async #startSuccessor(): Promise<Successor> {
    this.emit('restarting');
    const deadline = new Deadline(this.settings.drainTimeout);
    try {
      await runHook('beforeRestart', this.settings.beforeRestart, deadline);
      if (this.#state !== 'serving') {
        throw new GraceError('RESTART_FAILED', 'restart failed: this process stops', { subject: 'state', value: this.#state });
      }
      const child = new Child({
        command: successorCommand(),
        generation: this.generation + 1,
        sockets: this.#sockets.filter(({ listening }) => listening).map((listener) => listener.describe()),
        state: this.carriedState(),
        timeout: this.#restartTimeout,
        follow: this.settings.follow && this.generation === 1 ? 'pipe' : this.#followed?.fd,
        serviceManager: this.#systemd?.environment,
      });
      this.#child = child;
      const kept = await child.ready;
      return { child, kept, pid: child.pid! };
    } catch (cause) {
      const error = asRestartError(cause);
      this.#child = undefined;
      this.#failedRestarts += 1;
      log('%s', error.message);
      this.#systemd?.restartFailed(error);
      if (!this.emit('restart-failed', error)) warn(error.message);
      throw error;
    } finally {
      deadline.clear();
    }
  }

  #handOver({ child, pid, kept }: Successor, again: boolean): void {
    this.#child = undefined;
    this.successor = child;
    child.release(again);
    this.#followed?.handOver();
    if (child.followPipe !== undefined) {
      const { stop, restart, reload } = this.settings.signals;
      const signals = [...FORWARDED, ...stop, ...restart, ...reload];
      this.#follower = new Follower(child.followPipe, { pid, exited: child.exited() }, signals);
    }
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
      // After a hand-over somebody is ready: nobody has to be sent away.
      delay: reason === 'stop' ? drainDelay : 0,
      timeout: drainTimeout,
      onShutdown,
    });
    for (const { address, name, count } of cutOff) {
      warn(`${name ?? address}: ${count} cut off after ${drainTimeout} ms of draining`);
    }
    if (failure !== undefined) warn(`onShutdown failed: ${failure instanceof Error ? failure.stack : String(failure)}`);
    // Where the successor is still to be buried, that is waited for: it holds the sockets.
    await this.#child?.ready.catch(() => undefined);
    await this.#systemd?.finish(drainTimeout - (performance.now() - begin));
    const code = cutOff.length > 0 || failure !== undefined || this.#fatal !== undefined ? 1 : 0;
    this.#leave({ cutOff, code });
    if (!this.settings.exit) return;
    if (this.#follower !== undefined) process.exit(await this.#follower.ended);
    // After the microtasks, so that what awaits wait() or stop() still runs.
    setImmediate(() => process.exit(code));
  }

  #leave(closed: Closed): void {
    this.#state = 'closed';
    this.#removeSignals();
    this.#removeFiles();
    this.emit('closed', closed);
    this.successor?.leave();
    this.#end(this.#fatal === undefined ? closed : Promise.reject(this.#fatal.error));
  }

  /** What only a last owner removes; a successor's files are not touched. */
  #removeFiles(): void {
    if (this.settings.pidFile !== undefined) removePidFile(this.settings.pidFile);
    if (this.#reason !== 'stop') return;
    for (const listener of this.#sockets) listener.removeFile();
  }

  /** A successor that ends before it is ready leaves the sockets to the process that serves on them. */
  #stillServedByParent(): ReadonlySet<number> {
    if (this.inheritance?.parent?.alive !== true) return NOTHING_KEPT;
    return new Set(this.#sockets.filter(({ inherited }) => inherited).map(({ fd }) => fd));
  }

  #expect(state: State, what: string): void {
    if (this.#state === state) return;
    throw new GraceError('STATE_INVALID', `cannot ${what}: this process is ${this.#state}, expected ${state}`, {
      subject: 'state',
      value: this.#state,
    });
  }

  #onStopSignal(signal: NodeJS.Signals, by: 'direct' | 'forwarded'): void {
    // systemd signals the whole group, and what is left of it again when the main process has ended; impatient, it kills.
    if (this.#systemd !== undefined && this.#state === 'draining' && (this.#reason === 'handover' || signal === 'SIGTERM')) {
      this.#systemd.reportDrain();
      return;
    }
    this.#stopSignals[by] += 1;
    const again = Math.max(this.#stopSignals.direct, this.#stopSignals.forwarded) > 1;
    if (this.#follower !== undefined) {
      // The generation that serves has it; what this process still has must not keep it from ending.
      if (again) for (const listener of this.#sockets) listener.cutOff();
      return;
    }
    // Under a superdaemon the second is nothing new: a terminal or systemd signals both, and it passes on what it gets.
    if (again && this.superdaemon === undefined) {
      log('%s again: leaving at once', signal);
      this.#child?.kill();
      this.#removeFiles();
      process.exit(exitCodeOf(signal));
    }
    if (this.#state !== 'draining') void this.stop();
  }

  #beFollowed(followed: Followed): void {
    this.#followed = followed;
    const { stop, restart } = this.settings.signals;
    followed.serve(
      (signal) => {
        // Read in the moment in which the successor began to read, too; it is meant for that one.
        if (this.#reason === 'handover') process.kill(this.successor!.pid!, signal);
        else if (stop.includes(signal)) this.#onStopSignal(signal, 'forwarded');
        else if (restart.includes(signal)) this.#onRestartWish(`${signal} of the first process`);
        else process.kill(process.pid, signal);
      },
      () => {
        log('the first process is gone, and who watched it takes this service for ended');
        if (this.#state === 'serving') void this.stop();
      },
    );
  }

  #onRestartWish(by: string): void {
    if (this.#follower !== undefined) return;
    if (this.#state !== 'serving') {
      warn(`${by} ignored: this process is ${this.#state}`);
      return;
    }
    if (this.superdaemon !== undefined) {
      warn(`${by} ignored: start_server restarts this process; ${whomToAsk(this.superdaemon)}`);
      return;
    }
    log('restart asked for by %s', by);
    this.restart().catch((error: unknown) => {
      // A failed restart was reported when it failed.
      if (error instanceof GraceError && error.code === 'RESTART_UNSUPPORTED') warn(error.message);
      log('%s', error);
    });
  }
}
