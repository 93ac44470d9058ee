import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isCount, isRecord, parseRecord } from '../../lib/handoff/json.js';
import { fileError } from '../file-error.js';

/** `draining`: it was told to stop, and has not exited. */
export type WorkerState = 'starting' | 'serving' | 'draining';

/** One worker. */
export interface WorkerStatus {
  /** 1, 2, …; a failed start counts too. */
  readonly generation: number;
  /** Its process. */
  readonly pid: number;
  /** 1 to `--workers`. */
  readonly worker: number;
  /** What it does now. */
  readonly state: WorkerState;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** How often a worker of this number crashed and was replaced. */
  readonly restarts: number;
}

/** A `start_server` and its workers. */
export interface ServerStatus {
  /** The process of start_server itself. */
  readonly pid: number;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** The generation started last, whether it came up or not. */
  readonly generation: number;
  /** How many workers have failed to start since start_server was started. */
  readonly failedStarts: number;
  /** How many have failed since the last one that came up. */
  readonly failuresInRow: number;
  /** The wait status of the last worker that failed to start. */
  readonly lastFailure: number | undefined;
  /** The same in words: `exited with code 1`. */
  readonly lastFailureReason?: string | undefined;
  /** The last lines in the log before it exited; empty if the log is not a file. */
  readonly lastOutput?: string | undefined;
  /** How often this start_server tried to replace itself. */
  readonly upgrades: number;
  /** Why the last upgrade failed; undefined if it did not. */
  readonly upgradeFailure?: string | undefined;
  /** Whether workers are being replaced, or the first ones started. */
  readonly deploying: boolean;
  /** All workers that run. */
  readonly workers: readonly WorkerStatus[];
}

/**
 * The status file: a line `generation:pid` for each worker, as Server::Starter
 * writes it. A second file, whose name ends with `.json`, has the full status.
 */
export class StatusFile {
  readonly #path: string;

  /** Writes nothing yet: as long as this start_server has not bound its sockets, the files may be those of another one. */
  constructor(path: string) {
    this.#path = path;
  }

  /** @throws GraceError `FILE_INVALID` if it cannot be written. */
  create(): void {
    try {
      this.#replace(this.#path, '');
    } catch (cause) {
      throw fileError('create status file', 'status-file', this.#path, cause);
    }
  }

  write(status: ServerStatus): void {
    const up = status.workers.filter(({ state }) => state !== 'starting');
    this.#replace(this.#path, up.map(({ generation, pid }) => `${generation}:${pid}\n`).join(''));
    this.#replace(detailsOf(this.#path), `${JSON.stringify(status)}\n`);
  }

  /** Does nothing if another process has written it since. */
  remove(): void {
    const { pid } = readStatus(this.#path) ?? {};
    if (pid !== undefined && pid !== process.pid) return;
    rmSync(this.#path, { force: true });
    rmSync(detailsOf(this.#path), { force: true });
  }

  /** Uses rename(2), so that a reader finds a whole file, the old or the new one. */
  #replace(path: string, text: string): void {
    const draft = `${path}.${process.pid}`;
    try {
      writeFileSync(draft, text);
      renameSync(draft, path);
    } catch (error) {
      rmSync(draft, { force: true });
      throw error;
    }
  }
}

/**
 * The workers that are up, by the status file of this start_server or Server::Starter's.
 *
 * @throws GraceError `FILE_INVALID`
 */
export function readGenerations(path: string): { readonly generation: number; readonly pid: number }[] {
  try {
    return [...readFileSync(path, 'utf8').matchAll(/^(\d+):(\d+)/gm)].map(([, generation, pid]) => {
      return { generation: Number(generation), pid: Number(pid) };
    });
  } catch (cause) {
    throw fileError('open file', 'status-file', path, cause);
  }
}

/** The full status; undefined if Server::Starter wrote the status file, or if the file has something else in it. */
export function readStatus(path: string): ServerStatus | undefined {
  try {
    const status = parseRecord(readFileSync(detailsOf(path), 'utf8'));
    return isStatus(status) ? (status as unknown as ServerStatus) : undefined;
  } catch {
    return undefined;
  }
}

/** Other versions may lack some of the rest. */
function isStatus(status: Record<string, unknown> | undefined): boolean {
  const { pid, generation, workers } = status ?? {};
  return (
    isCount(pid) && isCount(generation) && Array.isArray(workers) && workers.every((worker) => isRecord(worker) && isCount(worker['pid']))
  );
}

function detailsOf(path: string): string {
  return `${path}.json`;
}
