import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Growth } from '../peers/results/growth-result.js';
import { thisMachine } from '../peers/results/machine.js';
import { readResults, writeResults } from '../peers/results/results.js';
import { ROOT } from '../peers/run/node-packages.js';
import { AIMS } from './aims.js';
import { growBusy } from './busy.js';
import { growIdle } from './idle.js';
import { growListeners } from './listeners.js';

const LISTENERS = [1, 10, 50, 100, 250];
const IDLE = [100, 1_000, 5_000, 20_000];
const BUSY = 1_000;
/** Descriptors that a process needs beside its connections. */
const OTHER_FILES = 500;

/** How many descriptors a process may have; root may have more than its shell says. */
function openFiles(): number {
  spawnSync('prlimit', [`--pid=${process.pid}`, `--nofile=${Math.max(...IDLE) + OTHER_FILES}`], { stdio: 'ignore' });
  return Number(/^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]);
}

async function each<Result>(what: string, counts: readonly number[], measure: (count: number) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (const count of counts) {
    const result = await measure(count);
    console.log(`${what}: ${JSON.stringify(result)}`);
    results.push(result);
  }
  return results;
}

/** A count, or the thousands below it that the limit allows. */
function possible(count: number): number {
  const most = openFiles() - OTHER_FILES;
  if (count <= most) return count;
  const fewer = Math.floor(most / 1_000) * 1_000;
  console.log(`${fewer} idle connections in place of ${count}: ulimit -n is ${openFiles()}`);
  return fewer;
}

const growth: Growth = {
  listeners: await each('listeners', LISTENERS, growListeners),
  idle: await each('idle connections', IDLE.map(possible), growIdle),
  busy: (await each('busy connections', [BUSY], growBusy))[0]!,
};
const file = process.argv[2] ?? join(ROOT, 'bench/results.json');
writeResults(file, { ...readResults(file, thisMachine()), growth });
for (const { what, value, unit, most } of AIMS) {
  const found = value(growth);
  const reached = found <= most;
  console.log(`${what}: ${found.toFixed(unit === '' ? 2 : 0)}${unit} (at most ${most}${unit}${reached ? '' : '; NOT REACHED'})`);
  if (!reached) process.exitCode = 1;
}
