import { type Measured, type Results } from '../../peers/results/results.js';
import { spreadOf } from '../../peers/results/spread.js';
import { fromZero } from './scale.js';
import { MARGIN, WIDTH, legend, line, picture, rect, text } from './svg.js';
import { rowsOf, turnsOf } from './rows.js';

const TOP = 122;
const LABELS = 236;
const GAP = 60;
const BAR = 12;
/** Room for the number behind a bar. */
const NUMBER = 46;

type Key = 'lost' | 'refused' | 'reconnects';

/** Lost requests and reconnects of each system. */
export function lostPicture(results: Results): string {
  const { rows, groups, height } = rowsOf(results, TOP);
  const width = (WIDTH - MARGIN - LABELS - GAP - MARGIN) / 2;
  const most = (key: Key): number =>
    Math.max(10, ...rows.map(({ measured }) => (shows(measured, key) ? (spreadOf(measured.turns, key).most ?? 0) : 0)));
  const panels = (['lost', 'reconnects'] as const).map((key, index) => {
    const left = MARGIN + LABELS + index * (width + GAP);
    return { key, left, scale: fromZero(most(key), left, left + width - NUMBER) };
  });
  const parts: string[] = [];
  for (const { label, y } of groups) parts.push(text(MARGIN, y, label, 'small'));
  for (const { key, left, scale } of panels) {
    parts.push(text(left, TOP - 26, key === 'lost' ? 'requests lost a restart' : 'reconnects of 12 connections', 'strong'));
    for (const tick of scale.ticks) {
      parts.push(line(scale(tick), TOP - 6, scale(tick), height - 18, 'grid'), text(scale(tick), TOP - 10, short(tick), 'small', 'middle'));
    }
    for (const { measured, y } of rows) parts.push(...bar(measured, key, y, scale));
  }
  for (const { measured, y } of rows) parts.push(text(MARGIN + 8, y, measured.title));
  parts.push(
    legend(MARGIN, 76, [
      ['red', 'lost on a connection'],
      ['pink', 'refused, as nobody listens'],
      ['blue', 'reconnects'],
    ]),
  );
  return picture(
    height,
    'Lost requests and reconnects',
    `${turnsOf(rows)}; the thin line goes from the least to the most. Logarithmic, with a zero.`,
    parts,
  );
}

function bar(measured: Measured, key: 'lost' | 'reconnects', y: number, scale: ReturnType<typeof fromZero>): string[] {
  const top = y - BAR + 2;
  if (!shows(measured, key)) return [text(scale(0) + 6, y, 'no keep-alive', 'small')];
  const { median, least, most } = spreadOf(measured.turns, key);
  if (median === null || least === null || most === null) return [];
  const parts: string[] = [];
  if (median > 0) {
    const refused = key === 'lost' ? (spreadOf(measured.turns, 'refused').median ?? 0) : 0;
    const kind = key === 'lost' ? 'red' : 'blue';
    const middle = scale(median - Math.min(refused, median));
    parts.push(rect(scale(0), top, middle - scale(0), BAR, kind), rect(middle, top, scale(median) - middle, BAR, 'pink'));
  }
  if (most > least) parts.push(line(scale(least), y - 4, scale(most), y - 4, 'grey'));
  const shown = least === most ? String(median) : `${median} (${least}–${most})`;
  parts.push(text(Math.max(scale(most), scale(median)) + 6, y, most === 0 ? '0' : shown, most === 0 ? 'strong' : 'small'));
  return parts;
}

function shows(measured: Measured, key: Key): boolean {
  return key !== 'reconnects' || measured.keepAlive;
}

function short(value: number): string {
  return value >= 1_000 ? `${value / 1_000}k` : String(value);
}
