import { type StatusFile } from '../control/status-file.js';
import { type SystemdNotify } from '../control/systemd-notify.js';
import { type Environment, timingReader } from '../environment.js';
import { type LogOutput } from '../log/log-output.js';
import { type Settings } from '../options.js';
import { type WaitStatus, showStatus } from '../process/wait-status.js';
import { type Descriptors } from '../sockets/descriptors.js';
import { Relay } from '../moves/relay.js';
import { type HeldSocket } from '../sockets/held-socket.js';
import { AutoRestart } from './auto-restart.js';
import { Launches } from './launches.js';
import { OldWorkers } from './old-workers.js';
import { RollingDeploy } from './rolling-deploy.js';
import { Slot } from './slot.js';
import { type Snapshot, currentIn } from './snapshot.js';
import { StatusReport } from './status-report.js';
import { type Worker, pidsOf } from './worker.js';

const LONGEST_TIMER_MS = 2 ** 30;

export interface SuperdaemonOptions {
  readonly settings: Settings;
  readonly descriptors: Descriptors<HeldSocket>;
  readonly environment: Environment;
  readonly output: LogOutput;
  readonly statusFile: StatusFile | undefined;
  readonly systemd: SystemdNotify;
  /** Closes the sockets of this process. The workers still have them; when the last worker exits, the kernel refuses new clients. */
  readonly closeSockets: () => void;
  /** What the start_server before this one left. */
  readonly inherited?: Snapshot | undefined;
  /** A deploy has ended, or a worker while there was none. */
  readonly onIdle?: (() => void) | undefined;
}

/** Keeps workers running on sockets that it never accepts on, until it is told to stop. */
export class Superdaemon {
  readonly #options: SuperdaemonOptions;
  readonly #slots: readonly Slot[];
  /** All that have not exited. */
  readonly #workers = new Set<Worker>();
  readonly #oldWorkers: OldWorkers;
  readonly #launches: Launches;
  readonly #relay = new Relay<Worker>((worker) => this.#successorOf(worker));
  readonly #deploy: RollingDeploy;
  readonly #autoRestart: AutoRestart;
  readonly #report: StatusReport;
  readonly #finished: Promise<void>;
  #finish: () => void = () => undefined;
  #stopping = false;
  /** Ends of workers that came after {@link handOver}; undefined if that was not called. */
  #missed: (() => void)[] | undefined;

  constructor(options: SuperdaemonOptions) {
    this.#options = options;
    const { settings, environment, statusFile, inherited } = options;
    const say = (message: string): void => this.#say(message);
    const readTiming = timingReader(environment, say);
    this.#finished = new Promise((done) => {
      this.#finish = done;
    });
    this.#report = new StatusReport(statusFile, say, inherited?.counted);
    this.#oldWorkers = new OldWorkers({
      signal: settings.signalOnHup,
      readKillDelay: () => readTiming().killOldDelay,
      say,
      onDismissed: () => this.#writeStatus(),
    });
    this.#launches = new Launches({
      ...options,
      report: this.#report,
      generation: inherited?.generation ?? 0,
      onStarted: (worker) => {
        this.#workers.add(worker);
        this.#relay.follow(worker, worker.child);
      },
      onUp: () => this.#autoRestart.reset(),
      onExit: (worker, status) => this.#onExit(worker, status),
      onChange: () => this.#writeStatus(),
    });
    const common = { launcher: this.#launches, oldWorkers: this.#oldWorkers, interval: settings.interval };
    this.#slots = Array.from({ length: settings.workers }, (_, index) => {
      const number = index + 1;
      return new Slot({ ...common, number, current: currentIn(inherited, number), restarts: inherited?.restarts[index] });
    });
    this.#deploy = new RollingDeploy({
      slots: this.#slots,
      launcher: this.#launches,
      onBegin: (message) => this.#onDeployBegin(message),
      onReplaced: (slot, milliseconds) => this.#onReplaced(slot, milliseconds),
      onEnd: () => this.#onDeployEnd(),
    });
    this.#autoRestart = new AutoRestart({
      readTiming,
      hasOldWorkers: () => this.#oldWorkers.size > 0,
      restart: (message) => {
        if (!this.#deploy.running) this.#deploy.request(message);
      },
    });
    for (const worker of inherited?.workers ?? []) this.#adopt(worker);
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Resolves when it was told to stop and all workers have exited. */
  async run(): Promise<void> {
    // Neither signal handlers nor sockets that are not polled keep Node.js running.
    const keepAlive = setInterval(() => undefined, LONGEST_TIMER_MS);
    void this.#open();
    this.#writeStatus();
    await this.#finished;
    clearInterval(keepAlive);
    this.#autoRestart.stop();
  }

  /** Replaces all workers. What waits for another try does not wait any longer. */
  deploy(message: string): void {
    for (const slot of this.#slots) slot.hurry();
    this.#deploy.request(message);
  }

  /** Ends all workers by a signal, and then {@link run}. */
  stop(received: NodeJS.Signals, signal: NodeJS.Signals): void {
    const action = `received ${received.slice(3)}, sending ${signal.slice(3)} to all workers`;
    this.#say(`${action}:${pidsOf(this.#workers).join(',')}`);
    if (this.#stopping) {
      // A second request is passed on too: some programs exit at once when they get it.
      this.signalAll(signal);
      return;
    }
    this.#options.systemd.stopping();
    this.#options.closeSockets();
    for (const worker of this.#workers) worker.signalOnce(signal);
    this.#stopStarting();
    if (this.#workers.size === 0) this.#finish();
  }

  /** Sends a signal to all workers. */
  signalAll(signal: NodeJS.Signals): void {
    for (const worker of this.#workers) worker.signal(signal);
  }

  /** Fulfils when no worker is being started or replaced. None is then, until {@link unfreeze}. */
  async freeze(): Promise<void> {
    await this.#deploy.hold();
    await this.#launches.hold();
  }

  /** @param failure - why the upgrade for which it was frozen failed. */
  unfreeze(failure: string): void {
    const missed = this.#missed ?? [];
    this.#missed = undefined;
    this.#report.countUpgrade(failure);
    this.#launches.release();
    this.#deploy.release();
    missed.forEach((work) => work());
    this.#writeStatus();
  }

  /** What another start_server needs to take over. */
  snapshot(): Snapshot {
    const { counted } = this.#report;
    return {
      generation: this.#launches.generation,
      counted: { ...counted, upgrades: counted.upgrades + 1, upgradeFailure: undefined },
      restarts: this.#slots.map(({ restarts }) => restarts),
      queued: this.#deploy.queued,
      workers: [...this.#workers],
    };
  }

  /** The same, and from now on another start_server looks after the workers, until {@link unfreeze}. */
  handOver(): Snapshot {
    this.#missed = [];
    return this.snapshot();
  }

  #stopStarting(): void {
    this.#stopping = true;
    this.#deploy.stop();
    for (const slot of this.#slots) slot.stop();
    this.#launches.stop();
  }

  async #open(): Promise<void> {
    const { queued } = this.#options.inherited ?? {};
    const opened = this.#deploy.open(() => this.#options.systemd.ready());
    if (queued !== undefined) this.#deploy.request(queued);
    await opened;
    if (!this.#stopping) this.#autoRestart.begin();
  }

  #adopt(worker: Worker): void {
    this.#workers.add(worker);
    if (this.#slots[worker.number - 1]?.current !== worker) this.#oldWorkers.add(worker);
    void worker.exited.then((status) => this.#onExit(worker, status));
  }

  #onDeployBegin(message: string): void {
    this.#say(message);
    this.#options.systemd.reloading();
  }

  #onReplaced({ number }: Slot, milliseconds: number): void {
    const { workers } = this.#options.settings;
    if (workers > 1) this.#say(`worker ${number} of ${workers} was replaced in ${(milliseconds / 1000).toFixed(1)} s`);
  }

  #onDeployEnd(): void {
    this.#writeStatus();
    if (this.#stopping) return;
    this.#options.systemd.ready();
    this.#options.onIdle?.();
  }

  #onExit(worker: Worker, status: WaitStatus): void {
    if (this.#missed !== undefined) {
      this.#missed.push(() => this.#onExit(worker, status));
      return;
    }
    this.#workers.delete(worker);
    const wasOld = this.#oldWorkers.delete(worker);
    const slot = this.#slots[worker.number - 1];
    if (this.#stopping) {
      this.#say(`worker ${worker.pid} died, status:${showStatus(status)}`);
      if (this.#workers.size === 0) this.#finish();
    } else if (wasOld) {
      this.#say(`old worker ${worker.pid} died, status:${showStatus(status)}`);
    } else if (slot?.current === worker) {
      this.#say(`worker ${worker.pid} died unexpectedly with status:${showStatus(status)}, restarting`);
      slot.crashed();
    }
    this.#writeStatus();
    if (!this.#stopping && !this.#deploy.running) this.#options.onIdle?.();
  }

  #successorOf(worker: Worker): Worker | undefined {
    const current = this.#slots[worker.number - 1]?.current;
    return current === worker || current?.isDraining === true ? undefined : current;
  }

  #writeStatus(): void {
    if (this.#missed !== undefined) return;
    this.#report.write({
      generation: this.#launches.generation,
      deploying: this.#deploy.running,
      workers: this.#workers,
      restartsOf: (number) => this.#slots[number - 1]?.restarts ?? 0,
    });
  }

  #say(message: string): void {
    this.#options.output.say(message);
  }
}
