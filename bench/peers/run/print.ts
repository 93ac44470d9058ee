import { type Measured } from '../results/results.js';
import { type TurnResult } from '../results/turn-result.js';
import { spreadOf } from '../results/spread.js';

const NAME_WIDTH = 20;

/** The columns of the tables on the terminal. */
const COLUMNS: readonly (readonly [string, keyof TurnResult])[] = [
  ['lost', 'lost'],
  ['refused', 'refused'],
  ['reconnects', 'reconnects'],
  ['new answers ms', 'newAnswers'],
  ['old gone ms', 'oldGone'],
  ['p50 ms', 'p50'],
  ['p99 ms', 'p99'],
  ['requests/s', 'rate'],
  ['MiB', 'memory'],
  ['peak MiB', 'memoryPeak'],
];

export function printTurn(name: string, turn: TurnResult): void {
  console.log(`${name.padEnd(NAME_WIDTH)}${COLUMNS.map(([title, key]) => `${title} ${turn[key] ?? '–'}`).join(', ')}`);
}

export function printSystem(name: string, { turns }: Measured): void {
  const cells = COLUMNS.map(([title, key]) => {
    const { median, least, most } = spreadOf(turns, key);
    return `${title} ${median ?? '–'}${least === most ? '' : ` (${least}–${most})`}`;
  });
  console.log(`${name.padEnd(NAME_WIDTH)}${cells.join(', ')}`);
}
