import { type ChildProcess } from 'node:child_process';
import { type Duplex } from 'node:stream';
import { type ManagedProcess } from '../process/managed-process.js';
import { killAll, processTree } from '../process/process-tree.js';
import { SpawnedProcess } from '../process/spawned-process.js';
import { type WaitStatus } from '../process/wait-status.js';
import { type Outcome, type ReadinessOptions, makeNonce, waitUntilUp } from './readiness.js';
import { type SpawnOptions, spawnWorker } from './spawn-worker.js';

/** Between the SIGTERM to a worker that was not ready in time and its SIGKILL. */
const KILL_AFTER_MS = 2_000;

export interface WorkerOptions extends SpawnOptions, ReadinessOptions {
  /** Milliseconds between a signal that asks a worker to exit and its SIGKILL; undefined: it may take as long as it likes. */
  readonly killTimeout: number | undefined;
  readonly say: (message: string) => void;
}

/** What a worker is, however it became one of this start_server's. */
export interface WorkerParts extends Pick<WorkerOptions, 'generation' | 'number' | 'killTimeout' | 'say' | 'interval'> {
  readonly process: ManagedProcess;
  /** The handoff pipe; undefined if the worker could not be started. */
  readonly pipe: Duplex | undefined;
  /** With the channel for its connections; undefined if another start_server started it. */
  readonly child?: ChildProcess | undefined;
  /** In the environment of the worker and of what it starts. */
  readonly nonce: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly sent: readonly NodeJS.Signals[];
  /** See {@link Worker.drainingFor}. */
  readonly drainingFor?: number | undefined;
}

/** One process of the server program. */
export class Worker {
  readonly generation: number;
  readonly number: number;
  readonly startedAt: number;
  /** Milliseconds of the monotonic clock. */
  readonly began = performance.now();
  /** Resolves with true when it is up, with false if it exits before. */
  readonly up: Promise<boolean>;
  /** Resolves with true when it has lived for the interval since it was ready, with false if it exits before. */
  readonly proven: Promise<boolean>;
  readonly exited: Promise<WaitStatus>;
  readonly pipe: Duplex | undefined;
  readonly nonce: string;
  /** What was in the log before it exited. */
  lastOutput = '';
  readonly #parts: WorkerParts;
  readonly #sent: Set<NodeJS.Signals>;
  /** Milliseconds of the monotonic clock. */
  #drainingSince: number | undefined;
  #notReady: string | undefined;
  #isUp = false;

  /** @param waitUntilReady - undefined: it is up. */
  constructor(parts: WorkerParts, waitUntilReady?: (worker: Worker) => Promise<Outcome>) {
    this.#parts = parts;
    this.#sent = new Set(parts.sent);
    ({ generation: this.generation, number: this.number, startedAt: this.startedAt, pipe: this.pipe, nonce: this.nonce } = parts);
    this.exited = parts.process.exited;
    if (this.isDraining) this.#killInTime(parts.drainingFor);
    if (waitUntilReady === undefined) this.#isUp = true;
    const outcome = waitUntilReady === undefined ? Promise.resolve<Outcome>('lived') : waitUntilReady(this);
    this.up = outcome.then((how) => (this.#isUp = how !== 'exited'));
    this.proven = outcome.then((how) => (how === 'said' ? this.#survives(parts.interval) : how === 'lived'));
  }

  /** Starts a process. If that fails, `pid` is undefined and `failure` says why. */
  static start(options: WorkerOptions): Worker {
    const nonce = makeNonce();
    const process = new SpawnedProcess(() => spawnWorker(options, nonce));
    const pipe = process.stream(options.descriptors.nextFree) as Duplex | undefined;
    return new Worker({ ...options, process, child: process.child, pipe, nonce, startedAt: Date.now(), sent: [] }, (worker) => {
      const candidate = {
        ...{ pipe, nonce, exited: process.exited },
        isDraining: () => worker.isDraining,
        onTimeout: (timeout: number) => worker.#giveUp(timeout),
      };
      return waitUntilUp(candidate, options);
    });
  }

  /** See {@link WorkerParts}. */
  get child(): ChildProcess | undefined {
    return this.#parts.child;
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#parts.process.pid;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Whether it was told to stop. */
  get isDraining(): boolean {
    return this.#sent.size > 0;
  }

  /** Milliseconds since it got the first signal to stop; undefined: none yet. */
  get drainingFor(): number | undefined {
    return this.#drainingSince === undefined ? undefined : performance.now() - this.#drainingSince;
  }

  /** The signals that it was told to stop by. */
  get sent(): readonly NodeJS.Signals[] {
    return [...this.#sent];
  }

  /** Why it could not be started, or was stopped before it was up. */
  get failure(): string | undefined {
    return this.#notReady ?? this.#parts.process.failure;
  }

  /** Sends a signal at most once: many programs exit at once when they get the same signal again. */
  signalOnce(signal: NodeJS.Signals): void {
    if (this.#sent.has(signal)) return;
    this.#sent.add(signal);
    this.signal(signal);
    this.#killInTime();
  }

  signal(signal: NodeJS.Signals): void {
    const failure = this.#parts.process.signal(signal);
    if (failure !== undefined) this.#parts.say(`cannot send ${failure}`);
  }

  /** Kills it with all that it has started, unless it exits within the kill timeout, of which `drainingFor` milliseconds are over. */
  #killInTime(drainingFor = 0): void {
    this.#drainingSince ??= performance.now() - drainingFor;
    const { killTimeout, say } = this.#parts;
    if (killTimeout === undefined) return;
    const onTime = (): void => {
      say(`worker ${this.pid} has not exited within ${killTimeout / 1000} seconds, sending KILL`);
      this.#kill();
    };
    const timer = setTimeout(onTime, Math.max(0, killTimeout - drainingFor));
    void this.exited.then(() => clearTimeout(timer));
  }

  #kill(): void {
    const tree = processTree(this.pid, this.nonce);
    // Without a free descriptor the process table cannot be read, so there is no tree.
    this.signal('SIGKILL');
    killAll(tree);
  }

  async #survives(milliseconds: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const lived = new Promise<boolean>((done) => {
      // Timers run before ends of processes are read, so wait until those have been.
      timer = setTimeout(() => setImmediate(() => done(true)), milliseconds);
    });
    const survived = await Promise.race([this.exited.then(() => false), lived]);
    clearTimeout(timer);
    return survived;
  }

  #giveUp(timeout: number): void {
    this.#notReady = `was not ready within ${timeout / 1000} seconds`;
    const started = processTree(this.pid, this.nonce);
    this.#sent.add('SIGTERM');
    this.signal('SIGTERM');
    const kill = setTimeout(() => this.#kill(), KILL_AFTER_MS);
    void this.exited.then(() => {
      clearTimeout(kill);
      // They may outlive it.
      killAll([...started, ...processTree(undefined, this.nonce)]);
    });
  }
}

/** The pids of workers, in ascending order. */
export function pidsOf(workers: Iterable<Worker>): number[] {
  return [...workers].flatMap(({ pid }) => pid ?? []).sort((a, b) => a - b);
}
