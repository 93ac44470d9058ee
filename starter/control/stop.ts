import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../../lib/process-table.js';
import { runningPid } from './pid-lock.js';

/** Options of {@link stopServer}. */
export interface StopOptions {
  /** The file of `--pid-file`. */
  readonly pidFile: string;
}

const CHECK_EVERY_MS = 20;

/**
 * Tells a start_server to stop; resolves when it has exited.
 *
 * @throws GraceError `NOT_RUNNING`, `PID_FILE`
 *
 * @example
 * import { stopServer } from 'ts-grace/starter';
 *
 * await stopServer({ pidFile: 'pid' });
 * console.log('stopped'); // stopped
 */
export async function stopServer({ pidFile }: StopOptions, onStop: (pid: number) => void = () => undefined): Promise<void> {
  const pid = runningPid(pidFile);
  onStop(pid);
  process.kill(pid, 'SIGTERM');
  while (isRunning(pid)) await sleep(CHECK_EVERY_MS);
}
