import { setTimeout as sleep } from 'node:timers/promises';
import { type Environment } from '../environment.js';
import { type LogOutput } from '../log/log-output.js';
import { markTail, readTail } from '../log/log-tail.js';
import { type Settings } from '../options.js';
import { type WaitStatus, describeStatus, showStatus } from '../process/wait-status.js';
import { type Descriptors } from '../sockets/descriptors.js';
import { type HeldSocket } from '../sockets/held-socket.js';
import { type Launcher } from './slot.js';
import { type StatusReport } from './status-report.js';
import { Worker } from './worker.js';

const LOOK_EVERY_MS = 20;

export interface LaunchesOptions {
  readonly settings: Settings;
  readonly descriptors: Descriptors<HeldSocket>;
  readonly environment: Environment;
  readonly output: LogOutput;
  readonly report: StatusReport;
  /** The number of the generation that was started last. */
  readonly generation: number;
  readonly onStarted: (worker: Worker) => void;
  readonly onUp: () => void;
  readonly onExit: (worker: Worker, status: WaitStatus) => void;
  /** The status file is to be written again. */
  readonly onChange: () => void;
}

/** Starts workers, and says why one failed. */
export class Launches implements Launcher {
  readonly #options: LaunchesOptions;
  #generation: number;
  #running = 0;
  /** Fulfils when workers may be started again. */
  #held: Promise<void> | undefined;
  #release: () => void = () => undefined;
  #stopped = false;

  constructor(options: LaunchesOptions) {
    this.#options = options;
    this.#generation = options.generation;
  }

  get generation(): number {
    return this.#generation;
  }

  nextGeneration(): number {
    this.#generation += 1;
    return this.#generation;
  }

  /** Fulfils when no worker is being started; none is then, until {@link release}. */
  async hold(): Promise<void> {
    this.#held ??= new Promise((done) => {
      this.#release = done;
    });
    while (this.#running > 0 && !this.#stopped) await sleep(LOOK_EVERY_MS);
  }

  release(): void {
    this.#held = undefined;
    this.#release();
  }

  /** What goes wrong from now on is no failure. */
  stop(): void {
    this.#stopped = true;
    this.release();
  }

  async launch(slot: number, generation: number): Promise<Worker> {
    await this.#held;
    // Its sockets are closed by now, and it would not get the signal.
    if (this.#stopped) throw new Error('start_server stops');
    this.#running += 1;
    try {
      return await this.#launch(slot, generation);
    } finally {
      this.#running -= 1;
    }
  }

  onFailedProbation(worker: Worker): void {
    const { settings, report, onChange } = this.#options;
    void worker.exited.then((status) => {
      const reason = `was ready, and then ${describeStatus(status)} within ${settings.interval / 1000} seconds`;
      this.say(`new worker ${worker.pid} ${reason}`);
      report.countFailedStart(status, reason, worker.lastOutput);
      onChange();
    });
  }

  say(message: string): void {
    this.#options.output.say(message);
  }

  async #launch(slot: number, generation: number): Promise<Worker> {
    const { settings, environment, descriptors, output, report, onStarted, onUp, onExit, onChange } = this.#options;
    const say = (message: string): void => this.say(message);
    const worker = Worker.start({ ...settings, env: environment.load(), descriptors, generation, number: slot, output: output.fd, say });
    onStarted(worker);
    if (worker.pid !== undefined) this.say(`starting new worker ${worker.pid}`);
    const mark = markTail(output.fd);
    void worker.exited.then((status) => {
      worker.lastOutput = readTail(mark);
      onExit(worker, status);
    });
    onChange();
    const up = await worker.up;
    if (this.#stopped) return worker;
    if (up) onUp();
    else this.#onFailedStart(worker, await worker.exited);
    void worker.proven.then((proven) => proven && report.countStart());
    onChange();
    return worker;
  }

  #onFailedStart({ pid, failure, lastOutput }: Worker, status: WaitStatus): void {
    const { settings, report } = this.#options;
    const reason = pid === undefined ? `could not be started: ${failure}` : (failure ?? describeStatus(status));
    report.countFailedStart(status, reason, lastOutput);
    if (pid === undefined) {
      this.say(`failed to start ${settings.exec[0]}: ${failure}`);
      return;
    }
    if (failure !== undefined) this.say(`new worker ${pid} ${failure}`);
    this.say(`new worker ${pid} seems to have failed to start, exit status:${showStatus(status)}`);
  }
}
