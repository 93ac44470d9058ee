import { setTimeout as sleep } from 'node:timers/promises';
import { runningPid } from './pid-lock.js';
import { isRunning } from '../../lib/process-table.js';

export interface StopOptions {
  readonly pidFile: string;
}

const LOOK_EVERY_MS = 20;

/**
 * Asks a start_server to stop; fulfils when it is gone.
 *
 * @throws GraceError `NOT_RUNNING`, `PID_FILE`
 */
export async function stopServer({ pidFile }: StopOptions, onStop: (pid: number) => void = () => undefined): Promise<void> {
  const pid = runningPid(pidFile);
  onStop(pid);
  process.kill(pid, 'SIGTERM');
  while (isRunning(pid)) await sleep(LOOK_EVERY_MS);
}
