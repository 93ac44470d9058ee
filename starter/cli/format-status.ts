import { type ServerStatus } from '../control/status-file.js';

const COLUMNS = ['generation', 'pid', 'worker', 'state', 'age', 'restarts'] as const;
const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'm'],
  [1, 's'],
] as const;
const UNITS_SHOWN = 2;

/** A table with one line for each worker. `-` stands for what is unknown. */
export function formatStatus({ workers }: ServerStatus, now: number): string {
  const rows = workers.map(({ generation, pid, worker, state, startedAt, restarts }) => {
    return [generation, pid, worker, state, formatAge(now - startedAt), restarts].map((cell) => String(cell).replace('NaN', '-'));
  });
  const table = [[...COLUMNS], ...rows];
  const widths = COLUMNS.map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The two largest units: `2h 5m`, `40s`. */
function formatAge(milliseconds: number): string {
  if (Number.isNaN(milliseconds)) return '-';
  let rest = Math.max(0, Math.floor(milliseconds / 1000));
  const parts: string[] = [];
  for (const [seconds, unit] of UNITS) {
    const count = Math.floor(rest / seconds);
    rest -= count * seconds;
    if (count > 0 || (unit === 's' && parts.length === 0)) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, UNITS_SHOWN).join(' ');
}
