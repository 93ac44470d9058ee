import { type Measured, type Results } from '../../peers/results/results.js';
import { spreadOf } from '../../peers/results/spread.js';
import { type TurnResult } from '../../peers/results/turn-result.js';
import { short, table } from './markdown.js';
import { machineText } from './machine.js';

/** The columns of the table in the readme. */
const COLUMNS: readonly (readonly [system: string, title: string])[] = [
  ['serve', '`serve()`'],
  ['start_server-2', '`start_server`, 2 workers'],
  ['cluster', "Node's cluster, 2 workers"],
  ['pm2', 'PM2 reload, 2 workers'],
  ['tableflip', 'tableflip (Go)'],
  ['nginx', 'nginx'],
];

const ROWS: readonly (readonly [title: string, value: (measured: Measured) => string])[] = [
  ['requests lost in a restart', (measured) => lost(measured)],
  ['reconnects of 12 keep-alive connections', (measured) => middle(measured, 'reconnects')],
  ['the new version answers after', (measured) => `${middle(measured, 'newAnswers')} ms`],
  ['p99 in the two seconds from the restart on', (measured) => `${middle(measured, 'p99')} ms`],
  ['p99 before', (measured) => `${middle(measured, 'p99Before')} ms`],
  ['requests a second', (measured) => middle(measured, 'rate')],
  ['memory of all processes', (measured) => `${middle(measured, 'memory')} MiB`],
];

/** The table of measured numbers beside the programs that are asked about most. */
export function peersTable(results: Results): string {
  const columns = COLUMNS.filter(([name]) => results.systems[name] !== undefined);
  const head = ['', ...columns.map(([, title]) => title)];
  const rows = ROWS.map(([title, value]) => [title, ...columns.map(([name]) => value(results.systems[name]!))]);
  return `${table(head, rows)}\n\n${machineText(results)} [How this was measured](docs/benchmarks.md), with more systems and pictures.`;
}

function middle({ turns }: Measured, key: keyof TurnResult): string {
  return short(spreadOf(turns, key).median);
}

/** A median of 0 must not hide that some restarts lost requests. */
function lost({ turns }: Measured): string {
  const { median, least, most } = spreadOf(turns, 'lost');
  return least === most ? short(median) : `${short(median)} (${short(least)}–${short(most)})`;
}
