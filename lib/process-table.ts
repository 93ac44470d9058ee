import { readFileSync } from 'node:fs';
import { errnoCode } from './errors.js';

/** Whether a process exists and has not ended; a zombie has ended, and stays in the table where nobody collects orphans. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM: it is there, and somebody else's.
    return errnoCode(error) === 'EPERM';
  }
  return readStat(pid)?.[0] !== 'Z';
}

/** Pids of the processes that ended and wait for this one to take notice; see proc(5). */
export function zombieChildren(pids: readonly number[]): readonly number[] {
  return pids.filter((pid) => {
    const [state, parent] = readStat(pid) ?? [];
    return state === 'Z' && Number(parent) === process.pid;
  });
}

/** The fields of /proc/pid/stat behind the name: state, parent's pid, … Undefined where there is no such file. */
function readStat(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name is in parentheses, and may contain any.
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
