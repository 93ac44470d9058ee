import { setTimeout as sleep } from 'node:timers/promises';
import { GraceError } from '../../lib/errors.js';
import { isRunning } from '../../lib/process-table.js';
import { describeStatus } from '../process/wait-status.js';
import { runningPid } from './pid-lock.js';
import { type ServerStatus, readGenerations, readStatus } from './status-file.js';

/** Options of {@link restartServer}. */
export interface RestartOptions {
  /** The file of `--pid-file`. */
  readonly pidFile: string;
  /** The file of `--status-file`. */
  readonly statusFile: string;
  /** Seconds until only workers of the new generation may be left. Default 600. */
  readonly timeout?: number | undefined;
}

/** How far a restart is. */
export interface RestartProgress {
  /** The new generation; if starts failed, workers may have a later one. */
  readonly generation: number;
  /** Milliseconds since the request. */
  readonly elapsed: number;
  /** Whether a new worker is up. */
  readonly up: boolean;
  /** Pids of the old workers that are still running. */
  readonly oldPids: readonly number[];
}

const CHECK_EVERY_MS = 50;
const DEFAULT_TIMEOUT_S = 600;
/** One failed start may have a passing reason; a program that fails this often does not start. */
const MAX_FAILED_STARTS = 3;

/**
 * Tells a start_server to replace its workers, and waits until no old worker is left.
 *
 * @throws GraceError `NOT_RUNNING`, `PID_FILE`, `FILE_INVALID`; `RESTART_FAILED`
 * if start_server exits, the program fails to start three times, or it takes
 * longer than `timeout`. In the last two cases the old workers go on serving, and
 * start_server goes on trying.
 *
 * @example
 * import { restartServer } from 'ts-grace/starter';
 *
 * const { generation } = await restartServer({ pidFile: 'pid', statusFile: 'status' });
 * console.log(`generation ${generation}`); // generation 2
 */
export async function restartServer(
  { pidFile, statusFile, timeout = DEFAULT_TIMEOUT_S }: RestartOptions,
  onProgress: (progress: RestartProgress) => void = () => undefined,
): Promise<RestartProgress> {
  const pid = runningPid(pidFile);
  const before = currentGeneration(statusFile);
  const failedBefore = readStatus(statusFile)?.failedStarts ?? 0;
  const begin = performance.now();
  process.kill(pid, 'SIGHUP');
  for (;;) {
    await sleep(CHECK_EVERY_MS);
    const elapsed = performance.now() - begin;
    if (!isRunning(pid)) throw failed(`start_server (process ${pid}) exited`, pid);
    const workers = readGenerations(statusFile);
    const progress: RestartProgress = {
      generation: before + 1,
      elapsed,
      up: workers.some(({ generation }) => generation > before),
      oldPids: workers.filter(({ generation }) => generation <= before).map((worker) => worker.pid),
    };
    const status = readStatus(statusFile);
    if (progress.up && progress.oldPids.length === 0 && status?.deploying !== true) return progress;
    onProgress(progress);
    const failures = Math.min((status?.failedStarts ?? 0) - failedBefore, status?.failuresInRow ?? Infinity);
    if (failures >= MAX_FAILED_STARTS) throw failed(explain(failures, status), pid);
    if (elapsed > timeout * 1000) throw failed(`it took longer than ${timeout} seconds`, pid);
  }
}

/** What the last worker did, with its last lines. */
function explain(failures: number, status: ServerStatus | undefined): string {
  const { lastFailureReason = describeStatus(status?.lastFailure), lastOutput = '' } = status ?? {};
  const output = lastOutput === '' ? '' : `; the log before that:\n${lastOutput.replace(/^/gm, '  ')}`;
  return `the new worker failed to start ${failures} times; the last one ${lastFailureReason}${output}`;
}

function currentGeneration(statusFile: string): number {
  const generations = readGenerations(statusFile).map(({ generation }) => generation);
  const generation = Math.max(...generations, readStatus(statusFile)?.generation ?? 0);
  if (generation > 0) return generation;
  throw new GraceError('NOT_RUNNING', `no active process found in the status file ${statusFile}`, {
    subject: 'status-file',
    value: statusFile,
  });
}

function failed(reason: string, pid: number): GraceError {
  return new GraceError('RESTART_FAILED', `restart failed: ${reason}`, { subject: 'restart', pid });
}
