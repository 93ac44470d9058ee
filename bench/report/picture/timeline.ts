import { type Measured, type Results } from '../../peers/results/results.js';
import { median } from '../../peers/results/statistics.js';
import { MARGIN, WIDTH, bars, legend, line, picture, text } from './svg.js';

const SHOWN = ['serve', 'cluster', 'pm2', 'nginx', 'tableflip', 'close'];
const TOP = 96;
const ROW = 88;
const BARS = 46;
const RIGHT = 226;
const LEFT = MARGIN;

/** Answers and losses of some systems around a restart, each a row. */
export function timelinePicture({ systems }: Results): string {
  const rows = SHOWN.map((name) => systems[name]).filter((found) => found !== undefined);
  const parts = rows.flatMap((measured, index) => row(measured, TOP + index * ROW));
  parts.push(
    legend(MARGIN, 76, [
      ['blue', 'answers of the old version'],
      ['green', 'answers of the new version'],
      ['red', 'lost requests'],
    ]),
  );
  const height = TOP + rows.length * ROW + 26;
  parts.push(...axis(rows[0]!, height - 26));
  const subtitle = 'Answers to 16 clients that never retry. The dashed line is the signal or command to restart.';
  return picture(height, 'A restart, 25 milliseconds a bar', subtitle, parts);
}

function position({ timeline: { slice, old } }: Measured, milliseconds: number, before: number): number {
  return LEFT + ((milliseconds + before) / (slice * old.length)) * (WIDTH - LEFT - RIGHT);
}

function row(measured: Measured, y: number): string[] {
  const { title, timeline, turns } = measured;
  const { slice, before, old, new: fresh, lost } = timeline;
  const base = y + 24 + BARS;
  const most = Math.max(...old.map((count, index) => count + fresh[index]! + lost[index]!));
  // A high bar of one system must not hide the others: what is far above the usual is cut off.
  const usual = median(old.slice(0, before / slice).filter((count) => count > 0)) * 2;
  const unit = BARS / Math.min(most, Math.max(usual, 1));
  const width = position(measured, slice, 0) - position(measured, 0, 0);
  const parts = [line(LEFT, base, WIDTH - RIGHT, base, 'grid')];
  const tops = old.map(() => base);
  for (const [kind, counts] of [
    ['blue', old],
    ['green', fresh],
    ['red', lost],
  ] as const) {
    const found = counts.map((count, index) => {
      const height = Math.min(count * unit, tops[index]! - base + BARS);
      tops[index]! -= height;
      return { x: LEFT + index * width, y: tops[index]!, width: width - 0.8, height };
    });
    parts.push(bars(found, kind));
  }
  const x = position(measured, 0, before);
  parts.push(line(x, y + 20, x, base, 'mark'), text(LEFT, y + 14, title, 'strong'));
  const value = (key: 'lost' | 'reconnects' | 'newAnswers'): number => median(turns.map((turn) => turn[key] ?? Number.NaN));
  const left = WIDTH - RIGHT + 18;
  parts.push(
    text(left, y + 34, `${value('lost')} lost`, 'strong'),
    text(left, y + 51, measured.keepAlive ? `${value('reconnects')} reconnects` : 'no keep-alive', 'small'),
    text(left, y + 66, `new version answers after ${Math.round(value('newAnswers'))} ms`, 'small'),
  );
  return parts;
}

function axis(measured: Measured, y: number): string[] {
  const { before, slice, old } = measured.timeline;
  const after = slice * old.length - before;
  const times = Array.from({ length: (before + after) / 500 + 1 }, (_, index) => index * 500 - before);
  return times.map((time) =>
    text(
      position(measured, time, before),
      y + 6,
      time === 0 ? 'restart' : `${time / 1000} s`,
      'small',
      time === -before ? 'start' : 'middle',
    ),
  );
}
