import { messageOf } from '../../lib/errors.js';
import { type ServerStatus, type StatusFile, type WorkerState, type WorkerStatus } from '../control/status-file.js';
import { type WaitStatus } from '../process/wait-status.js';
import { type Worker } from './worker.js';

/** What changes from one report to the next. */
export interface ReportedState {
  readonly generation: number;
  readonly deploying: boolean;
  readonly workers: Iterable<Worker>;
  /** How often a worker of this number crashed and was replaced. */
  restartsOf(number: number): number;
}

/** What is counted since start_server was started. */
export type Counted = Pick<
  ServerStatus,
  'startedAt' | 'failedStarts' | 'failuresInRow' | 'lastFailure' | 'lastFailureReason' | 'lastOutput' | 'upgrades' | 'upgradeFailure'
>;

const NOTHING_COUNTED = { failedStarts: 0, failuresInRow: 0, lastFailure: undefined, upgrades: 0 } as const;

/** Counts the failed starts, and writes the status file. */
export class StatusReport {
  readonly #file: StatusFile | undefined;
  readonly #say: (message: string) => void;
  #counted: Counted;

  /** @param counted - by the start_server before this one. */
  constructor(file: StatusFile | undefined, say: (message: string) => void, counted?: Counted) {
    this.#file = file;
    this.#say = say;
    this.#counted = counted ?? { startedAt: Date.now(), ...NOTHING_COUNTED };
  }

  get counted(): Counted {
    return this.#counted;
  }

  /** Counts a worker that failed to start. */
  countFailedStart(lastFailure: WaitStatus, lastFailureReason: string, lastOutput: string): void {
    const { failedStarts, failuresInRow } = this.#counted;
    this.#count({ failedStarts: failedStarts + 1, failuresInRow: failuresInRow + 1, lastFailure, lastFailureReason, lastOutput });
  }

  countStart(): void {
    this.#count({ failuresInRow: 0 });
  }

  /** @param upgradeFailure - undefined: it succeeded. */
  countUpgrade(upgradeFailure: string | undefined): void {
    this.#count({ upgrades: this.#counted.upgrades + 1, upgradeFailure });
  }

  /** A file that cannot be written is no reason to stop serving. */
  write(state: ReportedState): void {
    try {
      this.#file?.write(this.#status(state));
    } catch (error) {
      this.#say(`failed to write the status file: ${messageOf(error)}`);
    }
  }

  #count(change: Partial<Counted>): void {
    this.#counted = { ...this.#counted, ...change };
  }

  #status({ generation, deploying, workers, restartsOf }: ReportedState): ServerStatus {
    const rows = [...workers].filter(({ pid }) => pid !== undefined).map((worker) => describe(worker, restartsOf(worker.number)));
    rows.sort((a, b) => a.generation - b.generation || a.pid - b.pid);
    return { pid: process.pid, generation, deploying, ...this.#counted, workers: rows };
  }
}

function describe({ generation, number, pid, startedAt, isUp, isDraining }: Worker, restarts: number): WorkerStatus {
  const state: WorkerState = !isUp ? 'starting' : isDraining ? 'draining' : 'serving';
  return { generation, pid: pid!, worker: number, state, startedAt, restarts };
}
