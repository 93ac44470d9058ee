import { readFileSync, readdirSync } from 'node:fs';
import { isStillRunning, parentOf, startTimeOf } from '../../lib/process-table.js';
import { sendSignal } from './managed-process.js';
import { type ProcessIdentity } from './watched-process.js';

/**
 * A process, its descendants, and those that inherited a mark in their environment,
 * by which those whose parent has ended are found. Empty if the process table cannot be read.
 *
 * @param root - undefined: only those with the mark, and their descendants.
 */
export function processTree(root: number | undefined, mark: string): ProcessIdentity[] {
  const pids = listPids();
  const found = new Set(pids.filter((pid) => pid === root || environment(pid).includes(mark)));
  const parents = pids.map((pid) => [pid, parentOf(pid)] as const);
  // What is added to a set while it is iterated over comes later in the same loop.
  for (const parent of found) {
    for (const [pid, its] of parents) if (its === parent) found.add(pid);
  }
  return [...found].map((pid) => ({ pid, startTime: startTimeOf(pid) ?? '' }));
}

/** Sends SIGKILL to those that still run: their pids may belong to others by now. */
export function killAll(processes: readonly ProcessIdentity[]): void {
  for (const { pid, startTime } of processes) if (isStillRunning(pid, startTime)) sendSignal(pid, 'SIGKILL');
}

function listPids(): number[] {
  try {
    return readdirSync('/proc')
      .map(Number)
      .filter((pid) => Number.isInteger(pid) && pid !== process.pid);
  } catch {
    return [];
  }
}

function environment(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'utf8');
  } catch {
    return '';
  }
}
