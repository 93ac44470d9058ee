import { type Results } from '../../peers/results/results.js';
import { spreadOf } from '../../peers/results/spread.js';
import { rowsOf, turnsOf } from './rows.js';
import { logarithmic } from './scale.js';
import { MARGIN, WIDTH, circle, legend, line, picture, text } from './svg.js';

const TOP = 112;
const LABELS = 236;
const NUMBER = 60;

/** p50 and p99 before a restart, and in the two seconds from it on. */
export function latencyPicture(results: Results): string {
  const { rows, groups, height } = rowsOf(results, TOP);
  const keys = ['p50Before', 'p99Before', 'p50', 'p99'] as const;
  const values = rows.map(
    ({ measured, y }) =>
      ({ y, ...Object.fromEntries(keys.map((key) => [key, spreadOf(measured.turns, key).median!])) }) as Record<
        (typeof keys)[number] | 'y',
        number
      >,
  );
  const all = values.flatMap((found) => keys.map((key) => found[key]));
  const left = MARGIN + LABELS;
  const scale = logarithmic(Math.min(...all) * 0.85, Math.max(...all) * 1.1, left, WIDTH - MARGIN - NUMBER);
  const parts = scale.ticks.flatMap((tick) => [
    line(scale(tick), TOP - 6, scale(tick), height - 18, 'grid'),
    text(scale(tick), TOP - 10, `${tick} ms`, 'small', 'middle'),
  ]);
  for (const { label, y } of groups) parts.push(text(MARGIN, y, label, 'small'));
  for (const { measured, y } of rows) parts.push(text(MARGIN + 8, y, measured.title));
  for (const found of values) {
    const y = found.y - 4;
    for (const [kind, before, around] of [
      ['blue', found.p50Before, found.p50],
      ['orange', found.p99Before, found.p99],
    ] as const) {
      parts.push(
        line(scale(before), y, scale(around), y, kind),
        circle(scale(before), y, 4, `${kind} hollow`),
        circle(scale(around), y, 4.5, kind),
      );
    }
    parts.push(
      text(
        Math.max(scale(found.p99), scale(found.p99Before)) + 10,
        found.y,
        `${found.p99.toPrecision(2).replace(/^(\d\d)\.$/, '$1')}`,
        'small',
      ),
    );
  }
  parts.push(
    legend(MARGIN, 76, [
      ['blue', 'p50'],
      ['orange', 'p99'],
      ['hollow grey', 'before the restart'],
      ['dot grey', 'in the two seconds from it on'],
    ]),
  );
  return picture(
    height,
    'Latency around a restart',
    `Answered requests only; ${turnsOf(rows).toLowerCase()}, in milliseconds, on a logarithmic scale.`,
    parts,
  );
}
