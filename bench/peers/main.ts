import { type Options, readOptions } from './options.js';
import { thisMachine } from './results/machine.js';
import { type Measured, type Results, readResults, writeResults } from './results/results.js';
import { printSystem, printTurn } from './run/print.js';
import { installNodePackages } from './run/node-packages.js';
import { measureTurn } from './run/turn.js';
import { WRK } from './run/wrk.js';
import { type System } from './systems/system.js';

/** One turn of each system after the other, so that what else happens on the machine hits all of them. */
async function measure({ systems, turns, add, file }: Options): Promise<Results> {
  installNodePackages();
  const results = readResults(file, thisMachine());
  if (!WRK) console.log('wrk is not installed: no requests a second');
  const versions = new Map<System, string>();
  for (const system of systems) {
    delete results.missing[system.name];
    if (!add) delete results.systems[system.name];
    try {
      versions.set(system, system.version());
    } catch (error) {
      leaveOut(results, system, error);
    }
  }
  for (let turn = 1; turn <= turns; turn += 1) {
    console.log(`turn ${turn} of ${turns}`);
    for (const [system, version] of versions) {
      try {
        const { result, timeline } = await measureTurn(system);
        results.systems[system.name] = withTurn(results.systems[system.name], system, version, result, timeline);
        printTurn(system.name, result);
      } catch (error) {
        leaveOut(results, system, error);
      }
    }
    writeResults(file, results);
  }
  return results;
}

function leaveOut(results: Results, { name }: System, error: unknown): void {
  const [reason = ''] = (error as Error).message.split('\n');
  results.missing[name] = reason;
  console.log(`${name} is not measured: ${(error as Error).message}`);
}

function withTurn(
  known: Measured | undefined,
  { title, group, restarts, keepAlive = true }: System,
  version: string,
  turn: Measured['turns'][number],
  timeline: Measured['timeline'],
): Measured {
  return { title, group, restarts, keepAlive, version, turns: [...(known?.turns ?? []), turn], timeline };
}

const options = readOptions(process.argv.slice(2));
const results = await measure(options);
console.log(`\nmedians of the turns (least to most)`);
for (const { name } of options.systems) {
  const measured = results.systems[name];
  if (measured !== undefined) printSystem(name, measured);
}
for (const [name, reason] of Object.entries(results.missing)) console.log(`${name}: not measured: ${reason}`);

/** What this library promises; a figure of a peer is only a figure. */
for (const [name, { group, turns }] of Object.entries(results.systems)) {
  const lost = turns.reduce((sum, turn) => sum + turn.lost, 0);
  if (group !== 'ts-grace' || lost === 0) continue;
  console.log(`${name} lost ${lost} requests (0; NOT REACHED)`);
  process.exitCode = 1;
}
