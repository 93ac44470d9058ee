import { type ChildProcess } from 'node:child_process';
import { type Duplex } from 'node:stream';
import { messageOf } from '../../lib/errors.js';
import { type ReadinessOptions, makeNonce, waitUntilUp } from './readiness.js';
import { type SpawnOptions, spawnWorker } from './spawn-worker.js';
import { EXEC_FAILED, waitStatus } from './wait-status.js';

/** Between the SIGTERM to a worker that was not ready in time and its SIGKILL. */
const KILL_AFTER_MS = 2_000;

export interface WorkerOptions extends SpawnOptions, ReadinessOptions {}

/** One process of the server program. */
export class Worker {
  readonly generation: number;
  readonly number: number;
  readonly startedAt = Date.now();
  /** Resolves with true when it is up, with false if it exits before. */
  readonly up: Promise<boolean>;
  /** Resolves with the wait status. */
  readonly exited: Promise<number>;
  /** Why it could not be started, or was stopped before it was up. */
  failure: string | undefined;
  readonly #sent = new Set<NodeJS.Signals>();
  readonly #process: ChildProcess | undefined;
  #isUp = false;

  constructor(options: WorkerOptions) {
    this.generation = options.generation;
    this.number = options.number;
    const nonce = makeNonce();
    const child = this.#spawn(options, nonce);
    this.#process = child;
    this.exited = new Promise((done) => {
      if (child === undefined) return done(EXEC_FAILED);
      child.once('exit', (code, signal) => done(waitStatus(code, signal)));
      child.once('error', (error) => {
        this.failure = error.message;
        if (child.pid === undefined) done(EXEC_FAILED);
      });
    });
    this.up = this.#waitUntilUp(options, nonce);
  }

  /** Undefined if it could not be started. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  /** Whether it was told to stop. */
  get isDraining(): boolean {
    return this.#sent.size > 0;
  }

  /** Sends a signal at most once: many programs exit at once when they get the same signal again. */
  signalOnce(signal: NodeJS.Signals): void {
    if (this.#sent.has(signal)) return;
    this.#sent.add(signal);
    this.signal(signal);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  #spawn(options: SpawnOptions, nonce: string): ChildProcess | undefined {
    try {
      return spawnWorker(options, nonce);
    } catch (error) {
      this.failure = messageOf(error);
      return undefined;
    }
  }

  async #waitUntilUp(options: WorkerOptions, nonce: string): Promise<boolean> {
    const up = await waitUntilUp(
      {
        // With no descriptor left, spawn() returns a process without stdio, and then emits an error.
        pipe: this.#process?.stdio?.[options.descriptors.nextFree] as Duplex | undefined,
        nonce,
        exited: this.exited,
        isDraining: () => this.isDraining,
        onTimeout: (timeout) => this.#giveUp(timeout),
      },
      options,
    );
    this.#isUp = up;
    return up;
  }

  #giveUp(timeout: number): void {
    this.failure = `was not ready within ${timeout / 1000} seconds`;
    this.signalOnce('SIGTERM');
    const kill = setTimeout(() => this.signal('SIGKILL'), KILL_AFTER_MS);
    void this.exited.then(() => clearTimeout(kill));
  }
}

/** The pids of workers, in ascending order. */
export function pidsOf(workers: Iterable<Worker>): number[] {
  return [...workers].flatMap(({ pid }) => pid ?? []).sort((a, b) => a - b);
}
