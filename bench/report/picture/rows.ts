import { type Measured, type Results } from '../../peers/results/results.js';
import { SYSTEMS } from '../../peers/systems/all.js';

const ROW = 22;
const GROUP = 30;

export interface Row {
  readonly measured: Measured;
  /** The base line of its text. */
  readonly y: number;
}

/** The systems in their order, under the names of their groups. */
export function rowsOf(
  { systems }: Results,
  top: number,
): { readonly rows: Row[]; readonly groups: { readonly label: string; readonly y: number }[]; readonly height: number } {
  const rows: Row[] = [];
  const groups: { label: string; y: number }[] = [];
  let y = top - GROUP + ROW;
  for (const measured of SYSTEMS.map(({ name }) => systems[name])) {
    if (measured === undefined) continue;
    if (groups.at(-1)?.label !== measured.group) {
      y += GROUP;
      groups.push({ label: measured.group, y: y - 4 });
    }
    y += ROW;
    rows.push({ measured, y });
  }
  return { rows, groups, height: y + 36 };
}

/** How many turns the systems had: `Medians of 5 restarts`, `Medians of 3 to 5 restarts`, `One restart`. */
export function turnsOf(rows: readonly Row[]): string {
  const counts = rows.map(({ measured }) => measured.turns.length);
  const [least, most] = [Math.min(...counts), Math.max(...counts)];
  if (most === 1) return 'One restart';
  return `Medians of ${least === most ? most : `${least} to ${most}`} restarts`;
}
