import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ROOT } from './run/node-packages.js';
import { SYSTEMS } from './systems/all.js';
import { type System } from './systems/system.js';

const TURNS = 5;

export interface Options {
  readonly systems: readonly System[];
  readonly turns: number;
  /** Keep the turns that the file has. */
  readonly add: boolean;
  readonly file: string;
}

/** Throws for an unknown system, and if the number of turns is not a positive whole number. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { systems: { type: 'string' }, turns: { type: 'string' }, add: { type: 'boolean' }, results: { type: 'string' } },
  });
  const turns = Number(values.turns ?? TURNS);
  if (!Number.isInteger(turns) || turns < 1) throw new Error(`--turns ${values.turns} is not a positive number`);
  const file = values.results ?? join(ROOT, 'bench/results.json');
  return { systems: systemsNamed(values.systems?.split(',')), turns, add: values.add ?? false, file };
}

function systemsNamed(names: readonly string[] | undefined): readonly System[] {
  const unknown = names?.filter((name) => !SYSTEMS.some((system) => system.name === name)) ?? [];
  const known = SYSTEMS.map(({ name }) => name).join(', ');
  if (unknown.length > 0) throw new Error(`--systems: ${unknown.join(', ')} is not one of ${known}`);
  return names === undefined ? SYSTEMS : SYSTEMS.filter(({ name }) => names.includes(name));
}
