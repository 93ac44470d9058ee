import { setTimeout as sleep } from 'node:timers/promises';
import { GraceError } from '../../lib/errors.js';
import { isRunning } from '../../lib/process-table.js';
import { runningPid } from './pid-lock.js';
import { type ServerStatus, readStatus } from './status-file.js';

export interface UpgradeServerOptions {
  readonly pidFile: string;
  readonly statusFile: string;
  /** Seconds until the new start_server has to serve. Default 600: it waits for a deploy that is running. */
  readonly timeout?: number | undefined;
}

/** What an upgrade has done. */
export interface UpgradeResult {
  /** The start_server that was replaced. */
  readonly before: number;
  readonly pid: number;
  /** Milliseconds since the request. */
  readonly elapsed: number;
  readonly workers: ServerStatus['workers'];
}

const CHECK_EVERY_MS = 20;
const DEFAULT_TIMEOUT_S = 600;

/**
 * Tells a start_server to replace itself by the version that is installed now;
 * resolves when the new one looks after the workers, which were not touched.
 *
 * @throws GraceError `NOT_RUNNING`, `PID_FILE`; `RESTART_UNSUPPORTED` if it cannot
 * do that; `RESTART_FAILED` if it failed: then the old one goes on.
 */
export async function upgradeServer({ pidFile, statusFile, timeout = DEFAULT_TIMEOUT_S }: UpgradeServerOptions): Promise<UpgradeResult> {
  const before = runningPid(pidFile);
  const { upgrades, pid } = readStatus(statusFile) ?? {};
  if (before === 1) throw unsupported('it is process 1, whose exit ends the container: start a new container', before);
  // Any other program would be ended by the signal.
  if (upgrades === undefined || pid !== before) throw unsupported('it is of a version that cannot, or has another status file', before);
  const begin = performance.now();
  process.kill(before, 'SIGUSR2');
  for (;;) {
    await sleep(CHECK_EVERY_MS);
    const elapsed = performance.now() - begin;
    const status = readStatus(statusFile);
    if (status !== undefined && status.pid !== before && runningPid(pidFile) === status.pid && !isRunning(before)) {
      return { before, pid: status.pid, elapsed, workers: status.workers };
    }
    if (status?.pid === before && status.upgrades > upgrades) throw failed(status.upgradeFailure ?? 'for an unknown reason', before);
    if (!isRunning(before) && status?.pid === before) throw failed(`start_server (process ${before}) exited`, before);
    if (elapsed > timeout * 1000) throw failed(`it took longer than ${timeout} seconds`, before);
  }
}

function unsupported(reason: string, pid: number): GraceError {
  return new GraceError('RESTART_UNSUPPORTED', `start_server (process ${pid}) cannot replace itself: ${reason}`, {
    subject: 'upgrade',
    pid,
  });
}

function failed(reason: string, pid: number): GraceError {
  return new GraceError('RESTART_FAILED', `start_server (process ${pid}) was not replaced: ${reason}`, { subject: 'upgrade', pid });
}
