import { type Growth, saysMemory } from '../../peers/results/growth-result.js';
import { type Scale, linear, logarithmic } from './scale.js';
import { MARGIN, WIDTH, circle, line, path, picture, text } from './svg.js';

const GAP = 64;
const PANEL_WIDTH = (WIDTH - 2 * MARGIN - GAP - 40) / 2;
const PANEL_HEIGHT = 150;
const TOP = 124;
const ROW = PANEL_HEIGHT + 112;

interface Curve {
  readonly label: string;
  readonly kind: 'blue' | 'green' | 'orange' | 'grey';
  readonly points: readonly (readonly [number, number])[];
}

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly across: string;
  readonly curves: readonly Curve[];
}

/** How times and memory grow with listeners and connections. */
export function growthPicture({ listeners, idle }: Growth): string {
  const by = <Item extends { readonly count: number }>(items: readonly Item[], value: (item: Item) => number): [number, number][] =>
    items.map((item) => [item.count, value(item)]);
  const panels: Panel[] = [
    {
      title: 'Start and restart',
      unit: 'ms',
      across: 'listeners',
      curves: [
        { label: 'restart', kind: 'green', points: by(listeners, ({ restart }) => restart) },
        { label: 'start', kind: 'blue', points: by(listeners, ({ start }) => start) },
        { label: 'start of a bare server', kind: 'grey', points: by(listeners, ({ bareStart }) => bareStart) },
      ],
    },
    {
      title: 'Restart',
      unit: 'ms',
      across: 'idle connections',
      curves: [
        { label: 'all connections have moved', kind: 'blue', points: by(idle, ({ allMoved }) => allMoved) },
        { label: 'first new answer', kind: 'green', points: by(idle, ({ restart }) => restart) },
      ],
    },
    {
      title: 'Resident memory of one connection',
      unit: 'bytes',
      across: 'idle connections',
      curves: [
        { label: 'ts-grace', kind: 'green', points: by(idle.filter(saysMemory), ({ resident }) => resident) },
        { label: 'bare server', kind: 'grey', points: by(idle.filter(saysMemory), ({ bareResident }) => bareResident) },
      ],
    },
    {
      title: 'Longest block of the event loop',
      unit: 'ms',
      across: 'idle connections',
      curves: [
        { label: 'restart', kind: 'green', points: by(idle, ({ restartStall }) => restartStall) },
        { label: 'drain', kind: 'blue', points: by(idle, ({ drainStall }) => drainStall) },
        { label: 'server.close() of a bare server', kind: 'grey', points: by(idle, ({ bareDrainStall }) => bareDrainStall) },
      ],
    },
  ];
  const parts = panels.flatMap((panel, index) =>
    drawn(panel, MARGIN + 40 + (index % 2) * (PANEL_WIDTH + GAP), TOP + Math.floor(index / 2) * ROW),
  );
  return picture(
    TOP + 2 * ROW - 26,
    'Growth',
    'One process with more listeners and more idle keep-alive connections, beside the same program without ts-grace.',
    parts,
  );
}

function drawn({ title, unit, across, curves }: Panel, left: number, top: number): string[] {
  const points = curves.flatMap((curve) => curve.points);
  const counts = [...new Set(points.map(([count]) => count))];
  const bottom = top + PANEL_HEIGHT;
  const y = linear(Math.max(...points.map(([, value]) => value)) * 1.05, bottom, top);
  const x = logarithmic(counts[0]!, counts.at(-1)!, left, left + PANEL_WIDTH);
  const parts = [text(left - 40, top - 44, title, 'strong')];
  let right = left - 40;
  for (const { label, kind } of curves) {
    parts.push(circle(right + 5, top - 28, 4, kind), text(right + 14, top - 24, label, 'small'));
    right += label.length * 5.8 + 34;
  }
  for (const tick of y.ticks)
    parts.push(line(left, y(tick), left + PANEL_WIDTH, y(tick), 'grid'), text(left - 8, y(tick) + 4, named(tick, y), 'small', 'end'));
  parts.push(text(left - 8, top - 4, unit, 'small', 'end'));
  for (const count of counts) parts.push(text(x(count), bottom + 18, count.toLocaleString('en').replaceAll(',', ' '), 'small', 'middle'));
  parts.push(text(left + PANEL_WIDTH, bottom + 34, across, 'small', 'end'));
  for (const { kind, points: some } of curves) {
    const placed = some.map(([count, value]) => [x(count), y(value)] as const);
    parts.push(path(placed, kind), ...placed.map(([cx, cy]) => circle(cx, cy, 3, kind)));
  }
  return parts;
}

function named(value: number, { ticks }: Scale): string {
  return (ticks.at(-1) ?? 0) >= 10_000 ? `${value / 1_000}k` : String(value);
}
