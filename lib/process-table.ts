import { readFileSync } from 'node:fs';
import { errnoCode } from './errors.js';

/** Field 22 of proc(5), counted from the state, which is field 3. */
const START_TIME = 19;
const NANOSECONDS_PER_MS = 1e6;

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

/** When a process began, in clock ticks since the boot: with the pid it tells a process from all others. Undefined if there is no such process. */
export function startTimeOf(pid: number): string | undefined {
  return readStat(pid)?.[START_TIME];
}

/** Whether the process that began at this time still runs. True if the kernel does not tell, for example without a free descriptor. */
export function isStillRunning(pid: number, startTime: string): boolean {
  try {
    const fields = statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'));
    return fields[0] !== 'Z' && fields[0] !== 'X' && fields[START_TIME] === startTime;
  } catch (error) {
    return !['ENOENT', 'ESRCH'].includes(errnoCode(error) ?? '');
  }
}

/** The pid of a process's parent; undefined if there is no such process. */
export function parentOf(pid: number): number | undefined {
  const parent = readStat(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

/**
 * For how many milliseconds the main thread of a process could run, but had no processor: the second field of
 * /proc/pid/schedstat (sched-stats in the documentation of Linux). 0 if the kernel does not tell.
 */
export function starvation(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ')[1]) / NANOSECONDS_PER_MS || 0;
  } catch {
    return 0;
  }
}

/** The fields of /proc/pid/stat after the name: state, parent's pid, … Undefined if there is no such file. */
function readStat(pid: number): readonly string[] | undefined {
  try {
    return statFields(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** The name is in parentheses, and may contain parentheses. */
function statFields(text: string): readonly string[] {
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
