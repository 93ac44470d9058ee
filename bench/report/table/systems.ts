import { type Measured, type Results } from '../../peers/results/results.js';
import { spreadOf } from '../../peers/results/spread.js';
import { type TurnResult } from '../../peers/results/turn-result.js';
import { SYSTEMS } from '../../peers/systems/all.js';
import { short, table } from './markdown.js';

/** All systems, in two tables, and what was not measured. */
export function systemsTables(results: Results): string {
  const names = SYSTEMS.map(({ name }) => name).filter((name) => results.systems[name] !== undefined);
  const row = (name: string, keys: readonly (keyof TurnResult)[]): string[] => keys.map((key) => cell(results.systems[name]!, key));
  const restart = names.map((name) => [
    results.systems[name]!.title,
    ...row(name, ['lost', 'refused', 'reconnects', 'newAnswers', 'oldGone']),
  ]);
  const cost = names.map((name) => [
    results.systems[name]!.title,
    ...row(name, ['p50Before', 'p50', 'p99Before', 'p99', 'rate', 'memory', 'memoryPeak']),
  ]);
  const versions = names.map((name) => `${name}: ${results.systems[name]!.version}`).join('; ');
  const missing = Object.entries(results.missing).map(([name, reason]) => `${name} (${reason})`);
  return [
    table(['system', 'lost', 'of these refused', 'reconnects', 'new one answers, ms', 'old one gone, ms'], restart),
    table(
      ['system', 'p50 before, ms', 'p50 around, ms', 'p99 before, ms', 'p99 around, ms', 'requests/s', 'memory, MiB', 'at most, MiB'],
      cost,
    ),
    `Versions: ${versions}.`,
    ...(missing.length === 0 ? [] : [`Not measured: ${missing.join('; ')}.`]),
  ].join('\n\n');
}

function cell({ turns, keepAlive }: Measured, key: keyof TurnResult): string {
  if (key === 'reconnects' && !keepAlive) return '–';
  const { median, least, most } = spreadOf(turns, key);
  return least === most ? short(median) : `${short(median)} (${short(least)}–${short(most)})`;
}
