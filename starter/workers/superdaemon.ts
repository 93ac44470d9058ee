import { messageOf } from '../../lib/errors.js';
import { onSignals } from '../../lib/on-signals.js';
import { AutoRestart } from './auto-restart.js';
import { type Environment, type Timing } from '../environment.js';
import { type HeldSocket } from '../sockets/held-socket.js';
import { type Layout } from '../sockets/descriptors.js';
import { type Settings } from '../options.js';
import { type Sink } from '../log/log-output.js';
import { Slot, type SlotHost } from './slot.js';
import { type StatusFile, type WorkerState, type WorkerStatus } from '../control/status-file.js';
import { type Supervisor } from '../control/systemd-notify.js';
import { Worker } from './worker.js';

/** What was set up for the workers before the first of them is started. */
export interface Equipment {
  readonly settings: Settings;
  readonly layout: Layout<HeldSocket>;
  readonly environment: Environment;
  readonly output: Sink;
  readonly statusFile: StatusFile | undefined;
  readonly supervisor: Supervisor;
  /** Lets go of the sockets: the workers have them, and the kernel refuses who comes when they are gone. */
  readonly closeSockets: () => void;
}

/** Keeps workers running on sockets that it never touches, until it is told to stop. */
export class Superdaemon implements SlotHost {
  readonly #equipment: Equipment;
  readonly #slots: readonly Slot[];
  /** Every worker that has not ended, and where it belongs. */
  readonly #alive = new Map<Worker, Slot>();
  /** Those that a newer one replaces. */
  readonly #old = new Set<Worker>();
  readonly #startedAt = Date.now();
  readonly #autoRestart: AutoRestart;
  #timing: Timing;
  #generation = 0;
  #failedStarts = 0;
  #lastFailure: number | undefined;
  #deploying = false;
  #again = false;
  #stopping = false;
  #finish: () => void = () => undefined;

  constructor(equipment: Equipment) {
    this.#equipment = equipment;
    this.#timing = equipment.environment.timing();
    this.#slots = Array.from({ length: equipment.settings.workers }, (_, index) => new Slot(index + 1, this));
    this.#autoRestart = new AutoRestart(
      () => this.#readTiming(),
      () => this.#old.size > 0,
      (message) => void this.#deploy(message),
    );
  }

  get interval(): number {
    return this.#equipment.settings.interval;
  }

  get backsOff(): boolean {
    return this.#slots.length > 1;
  }

  get stopping(): boolean {
    return this.#stopping;
  }

  /** Fulfils when it was told to stop and no worker is left. */
  async run(): Promise<void> {
    const finished = new Promise<void>((done) => {
      this.#finish = done;
    });
    const removers = [
      onSignals(['SIGHUP'], () => this.#onHup()),
      onSignals(['SIGTERM', 'SIGINT'], (signal) => this.#onStop(signal)),
    ];
    // Signal handlers and sockets that nobody polls do not keep Node.js running.
    const alive = setInterval(() => undefined, 2 ** 30);
    void this.#open();
    await finished;
    clearInterval(alive);
    this.#autoRestart.stop();
    removers.forEach((remove) => remove());
  }

  /** Passes a signal on to all workers. */
  signalAll(signal: NodeJS.Signals): void {
    for (const worker of this.#alive.keys()) worker.signal(signal);
  }

  start(slot: Slot, generation: number): Worker {
    const { settings, environment, layout, output } = this.#equipment;
    const worker = new Worker({
      ...settings,
      env: environment.load(),
      layout,
      generation,
      number: slot.number,
      output: output.fd,
    });
    this.#alive.set(worker, slot);
    if (worker.pid !== undefined) this.#say(`starting new worker ${worker.pid}`);
    void worker.exited.then((status) => this.#onExit(worker, slot, status));
    this.#writeStatus();
    return worker;
  }

  nextGeneration(): number {
    this.#generation += 1;
    return this.#generation;
  }

  onUp(): void {
    this.#autoRestart.restarted();
    this.#writeStatus();
  }

  onFailedStart(worker: Worker, status: number): void {
    this.#failedStarts += 1;
    this.#lastFailure = status;
    const { pid, failure } = worker;
    if (pid === undefined) this.#say(`failed to start ${this.#equipment.settings.exec[0]}: ${failure}`);
    else if (failure !== undefined) this.#say(`new worker ${pid} ${failure}`);
    if (pid !== undefined) this.#say(`new worker ${pid} seems to have failed to start, exit status:${status}`);
    this.#writeStatus();
  }

  retire(old: Worker): void {
    if (this.#alive.has(old)) this.#old.add(old);
  }

  announceDismissal(): number {
    const { signalOnHup } = this.#equipment.settings;
    const { killOldDelay } = this.#readTiming();
    const pids = pidsOf(this.#old).join(',') || 'none';
    this.#say(`new worker is now running, sending ${signalOnHup.slice(3)} to old workers:${pids}`);
    if (killOldDelay > 0) this.#say(`sleeping ${killOldDelay} secs before killing old workers`);
    return killOldDelay * 1000;
  }

  dismissRetired(): void {
    this.#say('killing old workers');
    for (const worker of this.#old) worker.signalOnce(this.#equipment.settings.signalOnHup);
    this.#writeStatus();
  }

  async #open(): Promise<void> {
    this.#deploying = true;
    const generation = this.nextGeneration();
    const opened = this.#slots.map((slot) => slot.open(generation));
    await Promise.race(opened);
    if (!this.#stopping) this.#equipment.supervisor.ready();
    await Promise.all(opened);
    this.#autoRestart.begin();
    this.#deploying = false;
    this.#deployAgain();
  }

  #onHup(): void {
    if (this.#stopping) return;
    // One at a time, and one more for all that were asked for meanwhile.
    if (this.#deploying) this.#again = true;
    else void this.#deploy('received HUP, spawning a new worker');
  }

  async #deploy(message: string): Promise<void> {
    if (this.#deploying) return;
    this.#deploying = true;
    this.#say(message);
    this.#equipment.supervisor.reloading();
    const generation = this.nextGeneration();
    for (const slot of this.#slots) {
      if (this.#stopping) return;
      await slot.replace(generation);
    }
    this.#deploying = false;
    this.#writeStatus();
    if (!this.#stopping) this.#equipment.supervisor.ready();
    this.#deployAgain();
  }

  #deployAgain(): void {
    const again = this.#again && !this.#stopping;
    this.#again = false;
    if (again) void this.#deploy('received HUP, spawning a new worker');
  }

  #onExit(worker: Worker, slot: Slot, status: number): void {
    this.#alive.delete(worker);
    const wasOld = this.#old.delete(worker);
    if (this.#stopping) {
      this.#say(`worker ${worker.pid} died, status:${status}`);
      if (this.#alive.size === 0) this.#finish();
    } else if (wasOld) {
      this.#say(`old worker ${worker.pid} died, status:${status}`);
    } else if (slot.current === worker) {
      this.#say(`worker ${worker.pid} died unexpectedly with status:${status}, restarting`);
      slot.crashed();
    }
    this.#writeStatus();
  }

  #onStop(received: NodeJS.Signals): void {
    const { settings, closeSockets, supervisor } = this.#equipment;
    const signal = received === 'SIGTERM' ? settings.signalOnTerm : 'SIGTERM';
    const names = `received ${received.slice(3)}, sending ${signal.slice(3)} to all workers`;
    this.#say(`${names}:${pidsOf(this.#alive.keys()).join(',')}`);
    if (this.#stopping) {
      // Who asks twice means it: so may the programs that leave at once when they are asked twice.
      this.signalAll(signal);
      return;
    }
    this.#stopping = true;
    supervisor.stopping();
    closeSockets();
    for (const worker of this.#alive.keys()) worker.signalOnce(signal);
    for (const slot of this.#slots) slot.wake();
    if (this.#alive.size === 0) this.#finish();
  }

  #writeStatus(): void {
    const workers = [...this.#alive].filter(([{ pid }]) => pid !== undefined).map(describe);
    workers.sort((a, b) => a.generation - b.generation || a.pid - b.pid);
    try {
      this.#equipment.statusFile?.write({
        pid: process.pid,
        startedAt: this.#startedAt,
        generation: this.#generation,
        failedStarts: this.#failedStarts,
        lastFailure: this.#lastFailure,
        deploying: this.#deploying,
        workers,
      });
    } catch (error) {
      this.#say(`failed to write the status file: ${messageOf(error)}`);
    }
  }

  /** The envdir may have changed; what cannot be read leaves it as it was. */
  #readTiming(): Timing {
    try {
      this.#timing = this.#equipment.environment.timing();
    } catch (error) {
      this.#say(messageOf(error));
    }
    return this.#timing;
  }

  #say(message: string): void {
    this.#equipment.output.say(message);
  }
}

function describe([worker, slot]: readonly [Worker, Slot]): WorkerStatus {
  const { generation, number, startedAt, isUp, leaving } = worker;
  const state: WorkerState = leaving && isUp ? 'leaving' : isUp ? 'serving' : 'starting';
  return { generation, pid: worker.pid!, worker: number, state, startedAt, restarts: slot.restarts };
}

function pidsOf(workers: Iterable<Worker>): number[] {
  return [...workers].flatMap(({ pid }) => pid ?? []).sort((a, b) => a - b);
}
