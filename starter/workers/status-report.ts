import { messageOf } from '../../lib/errors.js';
import { type ServerStatus, type StatusFile, type WorkerState, type WorkerStatus } from '../control/status-file.js';
import { type Worker } from './worker.js';

/** What changes from one report to the next. */
export interface ReportedState {
  readonly generation: number;
  readonly deploying: boolean;
  readonly workers: Iterable<Worker>;
  /** How often a worker of this number crashed and was replaced. */
  restartsOf(number: number): number;
}

/** Counts the failed starts, and writes the status file. */
export class StatusReport {
  readonly #file: StatusFile | undefined;
  readonly #say: (message: string) => void;
  readonly #startedAt = Date.now();
  #failedStarts = 0;
  #lastFailure: number | undefined;

  constructor(file: StatusFile | undefined, say: (message: string) => void) {
    this.#file = file;
    this.#say = say;
  }

  /** Counts a worker that failed to start, with its wait status. */
  countFailedStart(status: number): void {
    this.#failedStarts += 1;
    this.#lastFailure = status;
  }

  /** A file that cannot be written is no reason to stop serving. */
  write(state: ReportedState): void {
    try {
      this.#file?.write(this.#status(state));
    } catch (error) {
      this.#say(`failed to write the status file: ${messageOf(error)}`);
    }
  }

  #status({ generation, deploying, workers, restartsOf }: ReportedState): ServerStatus {
    const rows = [...workers].filter(({ pid }) => pid !== undefined).map((worker) => describe(worker, restartsOf(worker.number)));
    rows.sort((a, b) => a.generation - b.generation || a.pid - b.pid);
    return {
      pid: process.pid,
      startedAt: this.#startedAt,
      generation,
      failedStarts: this.#failedStarts,
      lastFailure: this.#lastFailure,
      deploying,
      workers: rows,
    };
  }
}

function describe({ generation, number, pid, startedAt, isUp, isDraining }: Worker, restarts: number): WorkerStatus {
  const state: WorkerState = !isUp ? 'starting' : isDraining ? 'draining' : 'serving';
  return { generation, pid: pid!, worker: number, state, startedAt, restarts };
}
