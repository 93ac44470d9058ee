import { setTimeout as sleep } from 'node:timers/promises';
import { GraceError } from '../../lib/errors.js';
import { runningPid } from './pid-lock.js';
import { isRunning } from '../../lib/process-table.js';
import { readGenerations, readStatus } from './status-file.js';

export interface RestartOptions {
  readonly pidFile: string;
  readonly statusFile: string;
  /** Seconds until the new generation has to be the only one. Default 600. */
  readonly timeout?: number | undefined;
}

/** How far a restart is. */
export interface RestartProgress {
  /** The generation that is waited for, or a later one. */
  readonly generation: number;
  /** Milliseconds since it was asked for. */
  readonly elapsed: number;
  /** Whether a worker of it is up. */
  readonly up: boolean;
  /** Pids of the workers before it that are left. */
  readonly old: readonly number[];
}

const LOOK_EVERY_MS = 50;
const DEFAULT_TIMEOUT_S = 600;
/** One failure may be bad luck; a program that fails as often as this is not going to start. */
const MOST_FAILED_STARTS = 3;

/**
 * Asks a start_server for new workers, and waits until only those are left.
 *
 * @throws GraceError `NOT_RUNNING`, `PID_FILE`, `FILE_INVALID`; `RESTART_FAILED`
 * where start_server ends, the program fails to start three times, or it takes
 * longer than `timeout`. Then the old workers serve on, and start_server goes on
 * trying.
 */
export async function restartServer(
  { pidFile, statusFile, timeout = DEFAULT_TIMEOUT_S }: RestartOptions,
  onProgress: (progress: RestartProgress) => void = () => undefined,
): Promise<RestartProgress> {
  const pid = runningPid(pidFile);
  const before = Math.max(...readGenerations(statusFile).map(({ generation }) => generation), readStatus(statusFile)?.generation ?? 0);
  if (before <= 0) {
    throw new GraceError('NOT_RUNNING', `no active process found in the status file ${statusFile}`, {
      subject: 'status-file',
      value: statusFile,
    });
  }
  const failedBefore = readStatus(statusFile)?.failedStarts ?? 0;
  const begin = performance.now();
  process.kill(pid, 'SIGHUP');
  for (;;) {
    await sleep(LOOK_EVERY_MS);
    const elapsed = performance.now() - begin;
    if (!isRunning(pid)) throw failed(`start_server (process ${pid}) ended`, pid);
    const all = readGenerations(statusFile);
    const progress: RestartProgress = {
      generation: before + 1,
      elapsed,
      up: all.some(({ generation }) => generation > before),
      old: all.filter(({ generation }) => generation <= before).map(({ pid: old }) => old),
    };
    const status = readStatus(statusFile);
    if (progress.up && progress.old.length === 0 && status?.deploying !== true) return progress;
    onProgress(progress);
    const failures = (status?.failedStarts ?? 0) - failedBefore;
    if (!progress.up && failures >= MOST_FAILED_STARTS) {
      throw failed(`the new worker failed to start ${failures} times, the last with status ${status?.lastFailure}`, pid);
    }
    if (elapsed > timeout * 1000) throw failed(`it was not over within ${timeout} seconds`, pid);
  }
}

function failed(reason: string, pid: number): GraceError {
  return new GraceError('RESTART_FAILED', `restart failed: ${reason}`, { subject: 'restart', pid });
}
