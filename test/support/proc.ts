import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** Whether a pid is taken; a zombie takes one too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** How many descriptors a process has. */
export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Leaves a process no free descriptor; returns a function that gives it its limit back. */
export function takeFreeDescriptors(pid: number): () => void {
  const limit = /Max open files\s+(\d+)/.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))![1]!;
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let free = 0;
  while (open.has(free)) free += 1;
  const setLimit = (soft: number | string): void => void execFileSync('prlimit', [`--pid=${pid}`, `--nofile=${soft}:`]);
  setLimit(free);
  return () => setLimit(limit);
}

/** The children of a process, by proc(5). */
export function children(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** In the fields of {@link statFields}. */
const [STATE, UTIME, STIME] = [0, 11, 12] as const;

/** Processor time that a process has used, in clock ticks of 10 ms. */
export function processorTicks(pid: number): number {
  const fields = statFields(pid);
  return Number(fields[UTIME]) + Number(fields[STIME]);
}

/** Memory that a process has resident, in KiB; 0 if it has ended. */
export function resident(pid: number): number {
  const [, kibibytes] = /VmRSS:\s+(\d+)/.exec(readStatus(pid)) ?? [];
  return Number(kibibytes ?? 0);
}

/** What proc(5) says of a process: nothing of one that is gone, and nothing of the memory of a zombie. */
function readStatus(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    return '';
  }
}

/** Processes whose command line has a text. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => commandLine(pid).includes(text));
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** The state of a process by proc(5): `R`, `S`, `T` for stopped, `Z` for a zombie, …; undefined if there is none. */
export function processState(pid: number): string | undefined {
  try {
    return statFields(pid)[STATE];
  } catch {
    return undefined;
  }
}

/** The fields of proc_pid_stat(5) after the name, which may contain spaces and parentheses. */
function statFields(pid: number): readonly string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
