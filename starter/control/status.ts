import { runningPid } from './pid-lock.js';
import { type Status, readGenerations, readStatus } from './status-file.js';

export interface StatusOptions {
  readonly pidFile: string;
  readonly statusFile: string;
}

/**
 * What a start_server says of itself. Of the Perl one only generations and pids
 * are known: its workers have no start time, number and count of restarts.
 *
 * @throws GraceError `NOT_RUNNING`, `PID_FILE`, `FILE_INVALID`
 */
export function serverStatus({ pidFile, statusFile }: StatusOptions): Status {
  const pid = runningPid(pidFile);
  const workers = readGenerations(statusFile);
  const status = readStatus(statusFile);
  if (status?.pid === pid) return status;
  const generation = Math.max(0, ...workers.map((worker) => worker.generation));
  return {
    pid,
    startedAt: NaN,
    generation,
    failedStarts: NaN,
    lastFailure: undefined,
    deploying: false,
    workers: workers.map((worker) => {
      const state = worker.generation === generation ? 'serving' : 'leaving';
      return { ...worker, worker: NaN, state, startedAt: NaN, restarts: NaN } as const;
    }),
  };
}

const COLUMNS = ['generation', 'pid', 'worker', 'state', 'age', 'restarts'] as const;
const UNITS = [[86_400, 'd'], [3_600, 'h'], [60, 'm'], [1, 's']] as const;

/** A line a worker, in columns. */
export function formatStatus({ workers }: Status, now: number): string {
  const rows = workers.map(({ generation, pid, worker, state, startedAt, restarts }) => {
    return [generation, pid, worker, state, formatAge(now - startedAt), restarts].map((cell) => String(cell).replace('NaN', '-'));
  });
  const table = [[...COLUMNS], ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table.map((row) => row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd()).join('\n');
}

/** The largest two units: `2h 5m`, `40s`. */
function formatAge(milliseconds: number): string {
  if (Number.isNaN(milliseconds)) return '-';
  let rest = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: string[] = [];
  for (const [seconds, unit] of UNITS) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(' ');
}
