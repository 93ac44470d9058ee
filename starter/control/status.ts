import { runningPid } from './pid-lock.js';
import { type ServerStatus, readGenerations, readStatus } from './status-file.js';

/** Options of {@link serverStatus}. */
export interface StatusOptions {
  /** The file of `--pid-file`. */
  readonly pidFile: string;
  /** The file of `--status-file`. */
  readonly statusFile: string;
}

/**
 * The status of a running start_server. That of Server::Starter has generations and
 * pids only: the number, start time and restarts of its workers are `NaN`.
 *
 * @throws GraceError `NOT_RUNNING`, `PID_FILE`, `FILE_INVALID`
 *
 * @example
 * import { serverStatus } from 'ts-grace/starter';
 *
 * const { workers } = serverStatus({ pidFile: 'pid', statusFile: 'status' });
 * for (const { worker, state } of workers) console.log(worker, state); // 1 serving
 */
export function serverStatus({ pidFile, statusFile }: StatusOptions): ServerStatus {
  const pid = runningPid(pidFile);
  const workers = readGenerations(statusFile);
  const status = readStatus(statusFile);
  if (status?.pid === pid) return status;
  const generation = Math.max(0, ...workers.map((worker) => worker.generation));
  return {
    pid,
    startedAt: NaN,
    generation,
    failedStarts: NaN,
    failuresInRow: NaN,
    upgrades: 0,
    lastFailure: undefined,
    deploying: false,
    workers: workers.map((worker) => {
      const state = worker.generation === generation ? 'serving' : 'draining';
      return { ...worker, worker: NaN, state, startedAt: NaN, restarts: NaN } as const;
    }),
  };
}
