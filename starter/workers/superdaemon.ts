import { onSignals } from '../../lib/on-signals.js';
import { type StatusFile } from '../control/status-file.js';
import { type SystemdNotify } from '../control/systemd-notify.js';
import { type Environment, timingReader } from '../environment.js';
import { type LogOutput } from '../log/log-output.js';
import { type Settings } from '../options.js';
import { type Descriptors } from '../sockets/descriptors.js';
import { type HeldSocket } from '../sockets/held-socket.js';
import { AutoRestart } from './auto-restart.js';
import { OldWorkers } from './old-workers.js';
import { RollingDeploy } from './rolling-deploy.js';
import { type Launcher, Slot } from './slot.js';
import { StatusReport } from './status-report.js';
import { Worker, pidsOf } from './worker.js';

const LONGEST_TIMER_MS = 2 ** 30;

export interface SuperdaemonOptions {
  readonly settings: Settings;
  readonly descriptors: Descriptors<HeldSocket>;
  readonly environment: Environment;
  readonly output: LogOutput;
  readonly statusFile: StatusFile | undefined;
  readonly systemd: SystemdNotify;
  /** Closes the sockets of this process. The workers have them still; when the last worker exits, the kernel refuses new clients. */
  readonly closeSockets: () => void;
}

/** Keeps workers running on sockets that it never accepts on, until it is told to stop. */
export class Superdaemon implements Launcher {
  readonly #options: SuperdaemonOptions;
  readonly #slots: readonly Slot[];
  /** All that have not exited. */
  readonly #workers = new Set<Worker>();
  readonly #oldWorkers: OldWorkers;
  readonly #deploy: RollingDeploy;
  readonly #autoRestart: AutoRestart;
  readonly #report: StatusReport;
  #generation = 0;
  #stopping = false;
  #finish: () => void = () => undefined;

  constructor(options: SuperdaemonOptions) {
    this.#options = options;
    const { settings, environment, statusFile } = options;
    const say = (message: string): void => this.#say(message);
    const readTiming = timingReader(environment, say);
    this.#report = new StatusReport(statusFile, say);
    const oldWorkers = new OldWorkers({
      signal: settings.signalOnHup,
      readKillDelay: () => readTiming().killOldDelay,
      say,
      onDismissed: () => this.#writeStatus(),
    });
    const { interval, workers } = settings;
    this.#slots = Array.from({ length: workers }, (_, index) => {
      return new Slot({ number: index + 1, launcher: this, oldWorkers, interval, backsOff: workers > 1 });
    });
    this.#deploy = new RollingDeploy({
      slots: this.#slots,
      launcher: this,
      onBegin: (message) => this.#onDeployBegin(message),
      onEnd: () => this.#onDeployEnd(),
    });
    this.#autoRestart = new AutoRestart({
      readTiming,
      hasOldWorkers: () => oldWorkers.size > 0,
      restart: (message) => {
        if (!this.#deploy.running) this.#deploy.request(message);
      },
    });
    this.#oldWorkers = oldWorkers;
  }

  /** Resolves when it was told to stop and all workers have exited. */
  async run(): Promise<void> {
    const finished = new Promise<void>((done) => {
      this.#finish = done;
    });
    const removers = [
      onSignals(['SIGHUP'], () => this.#deploy.request('received HUP, spawning a new worker')),
      onSignals(['SIGTERM', 'SIGINT'], (signal) => this.#onStop(signal)),
    ];
    // Neither signal handlers nor sockets that are not polled keep Node.js running.
    const keepAlive = setInterval(() => undefined, LONGEST_TIMER_MS);
    void this.#open();
    await finished;
    clearInterval(keepAlive);
    this.#autoRestart.stop();
    removers.forEach((remove) => remove());
  }

  /** Sends a signal to all workers. */
  signalAll(signal: NodeJS.Signals): void {
    for (const worker of this.#workers) worker.signal(signal);
  }

  nextGeneration(): number {
    this.#generation += 1;
    return this.#generation;
  }

  async launch(slot: number, generation: number): Promise<Worker> {
    const { settings, environment, descriptors, output } = this.#options;
    const worker = new Worker({ ...settings, env: environment.load(), descriptors, generation, number: slot, output: output.fd });
    this.#workers.add(worker);
    if (worker.pid !== undefined) this.#say(`starting new worker ${worker.pid}`);
    void worker.exited.then((status) => this.#onExit(worker, status));
    this.#writeStatus();
    const up = await worker.up;
    if (this.#stopping) return worker;
    if (up) this.#autoRestart.reset();
    else this.#onFailedStart(worker, await worker.exited);
    this.#writeStatus();
    return worker;
  }

  async #open(): Promise<void> {
    await this.#deploy.open(() => this.#options.systemd.ready());
    if (this.#stopping) return;
    this.#writeStatus();
    this.#autoRestart.begin();
  }

  #onDeployBegin(message: string): void {
    this.#say(message);
    this.#options.systemd.reloading();
  }

  #onDeployEnd(): void {
    this.#writeStatus();
    if (!this.#stopping) this.#options.systemd.ready();
  }

  #onFailedStart({ pid, failure }: Worker, status: number): void {
    this.#report.countFailedStart(status);
    if (pid === undefined) {
      this.#say(`failed to start ${this.#options.settings.exec[0]}: ${failure}`);
      return;
    }
    if (failure !== undefined) this.#say(`new worker ${pid} ${failure}`);
    this.#say(`new worker ${pid} seems to have failed to start, exit status:${status}`);
  }

  #onExit(worker: Worker, status: number): void {
    this.#workers.delete(worker);
    const wasOld = this.#oldWorkers.delete(worker);
    const slot = this.#slots[worker.number - 1]!;
    if (this.#stopping) {
      this.#say(`worker ${worker.pid} died, status:${status}`);
      if (this.#workers.size === 0) this.#finish();
    } else if (wasOld) {
      this.#say(`old worker ${worker.pid} died, status:${status}`);
    } else if (slot.current === worker) {
      this.#say(`worker ${worker.pid} died unexpectedly with status:${status}, restarting`);
      slot.crashed();
    }
    this.#writeStatus();
  }

  #onStop(received: NodeJS.Signals): void {
    const { settings, closeSockets, systemd } = this.#options;
    const signal = received === 'SIGTERM' ? settings.signalOnTerm : 'SIGTERM';
    const action = `received ${received.slice(3)}, sending ${signal.slice(3)} to all workers`;
    this.#say(`${action}:${pidsOf(this.#workers).join(',')}`);
    if (this.#stopping) {
      // A second request is passed on too: some programs exit at once when they get it.
      this.signalAll(signal);
      return;
    }
    this.#stopping = true;
    systemd.stopping();
    closeSockets();
    for (const worker of this.#workers) worker.signalOnce(signal);
    this.#deploy.stop();
    for (const slot of this.#slots) slot.stop();
    if (this.#workers.size === 0) this.#finish();
  }

  #writeStatus(): void {
    this.#report.write({
      generation: this.#generation,
      deploying: this.#deploy.running,
      workers: this.#workers,
      restartsOf: (number) => this.#slots[number - 1]!.restarts,
    });
  }

  #say(message: string): void {
    this.#options.output.say(message);
  }
}
