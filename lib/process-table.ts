import { readFileSync } from 'node:fs';
import { errnoCode } from './errors.js';

/** Whether a process exists and has not ended. A zombie has ended; it stays in the table until its parent collects it. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it exists, and belongs to another user.
    return errnoCode(error) === 'EPERM';
  }
  return readStat(pid)?.[0] !== 'Z';
}

/** The child processes among `pids` that have ended and were not yet collected by this process; see proc(5). */
export function zombieChildren(pids: readonly number[]): readonly number[] {
  return pids.filter((pid) => {
    const [state, parent] = readStat(pid) ?? [];
    return state === 'Z' && Number(parent) === process.pid;
  });
}

/** The fields of /proc/pid/stat after the name: state, parent's pid, … Undefined if there is no such file. */
function readStat(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name is in parentheses, and may contain parentheses.
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
