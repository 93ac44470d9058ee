import { readFileSync, readdirSync } from 'node:fs';

const PAGE_KIB = 4;

interface Stat {
  readonly state: string;
  readonly session: number;
  readonly residentPages: number;
}

/** proc_pid_stat(5); undefined for a process that is gone. */
function stat(pid: number): Stat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the command, in parentheses, may have spaces.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { state: fields[0]!, session: Number(fields[3]), residentPages: Number(fields[21]) };
  } catch {
    return undefined;
  }
}

export function isAlive(pid: number): boolean {
  const state = stat(pid)?.state;
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** The processes of some sessions, and their resident memory in MiB. */
export function processesOf(sessions: ReadonlySet<number>): { readonly pids: number[]; readonly memory: number } {
  const pids: number[] = [];
  let pages = 0;
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const found = stat(pid);
    if (found === undefined || found.state === 'Z' || !sessions.has(found.session)) continue;
    pids.push(pid);
    pages += found.residentPages;
  }
  return { pids, memory: (pages * PAGE_KIB) / 1024 };
}
