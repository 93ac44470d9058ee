import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { installPackage } from '../support/installed.js';
import { descriptors } from '../support/proc.js';
import { freePort } from '../support/sockets.js';
import { Clients } from './clients.js';
import { Deployment, signal } from './deployment.js';
import { FAULTS } from './faults.js';
import { PROBATION_MS, TIMES } from './program.js';
import { Random } from './random.js';

/**
 * Plays random sequences of faults against the package, as it is packed and
 * installed, under clients that never retry, and checks the promises after each.
 * With an odd seed an old process stands by after a restart, with an even one it does not.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '1' },
    faults: { type: 'string', default: '12' },
    minutes: { type: 'string' },
    only: { type: 'string', multiple: true, default: [] },
    clients: { type: 'string', default: '2' },
    keep: { type: 'boolean', default: false },
  },
});

const names = Object.keys(FAULTS).filter((name) => values.only.length === 0 || values.only.includes(name));
if (names.length === 0) throw new Error(`there is no such fault, expected some of: ${Object.keys(FAULTS).join('; ')}`);
/** A process that drains has ended by then. */
const DRAINED_WITHIN_MS = TIMES.drainTimeout + 4_000;
/** Requests in a process that was killed fail at once; those behind a reset a moment later. */
const LOST_WITH_PROCESS_MS = 1_500;
/** What is open for a moment: connections of clients, a pipe that is being closed. */
const DESCRIPTORS_TO_SPARE = 16;

const scratch = mkdtempSync(join(tmpdir(), 'grace-chaos-'));
const { folder: user } = installPackage(scratch);

let broken = 0;
let answered = 0;
let played = 0;
const end = values.minutes === undefined ? Infinity : performance.now() + Number(values.minutes) * 60_000;
const seeds = values.minutes === undefined ? Number(values.seeds) : Infinity;
for (let index = 0; index < seeds && performance.now() < end; index += 1) {
  const seed = Number(values.seed) + index;
  const found = await play(seed);
  broken += found.length;
  console.log(`seed ${seed}: ${found.length === 0 ? 'every promise kept' : `BROKEN\n  ${found.join('\n  ')}`}`);
}
if (!values.keep) rmSync(scratch, { recursive: true, force: true });
else console.log(`kept ${scratch}`);
console.log(`${played} faults, ${answered} requests answered, ${broken} promises broken`);
process.exitCode = broken === 0 && played > 0 && answered > 0 ? 0 : 1;

/** Plays the faults of one seed; returns the promises that were broken. */
async function play(seed: number): Promise<string[]> {
  const random = new Random(seed);
  const folder = mkdtempSync(join(scratch, `seed-${seed}-`));
  symlinkSync(join(user, 'node_modules'), join(folder, 'node_modules'));
  const deployment = new Deployment(folder, await freePort(), seed % 2 === 1 ? PROBATION_MS : 0);
  const possible = names.filter((name) => FAULTS[name]!.onProbation !== true || deployment.probation > 0);
  const found: string[] = [];
  deployment.write('good');
  await deployment.start();
  const clients = new Clients(deployment.targets, Number(values.clients));
  try {
    for (let number = 1; number <= Number(values.faults); number += 1) {
      const name = random.pick(possible);
      const fault = FAULTS[name]!;
      const lostBefore = clients.lost.length;
      const report = (problem: string): number => found.push(`fault ${number}, ${name}: ${problem}`);
      const told = await fault.run({ deployment, clients, random }).catch((error: Error) => `FAILED: ${error.message}`);
      if (told.startsWith('FAILED')) report(told);
      played += 1;
      deployment.write('good');
      if (fault.mayEndAll === true && (await deployment.endedAll())) {
        await clients.pause();
        rmSync(join(folder, 'app.pid'), { force: true });
        await deployment.start();
        clients.resume();
        clients.lost.length = lostBefore;
        continue;
      }
      const pid = await deployment.serving().catch((error: Error) => {
        report(error.message);
        return undefined;
      });
      if (fault.kills) await sleep(LOST_WITH_PROCESS_MS);
      else await sleep(random.between(0, 500));
      const lost = clients.lost.slice(lostBefore);
      if (!fault.kills && lost.length > 0) report(`${lost.length} requests lost, such as ${lost[0]!.client}: ${lost[0]!.error} (${told})`);
      if (fault.kills && lost.length > clients.count * 2) report(`${lost.length} requests lost, more than a process had (${told})`);
      if (pid === undefined) {
        await clients.pause();
        await deployment.kill();
        await deployment.start();
        clients.resume();
      }
    }
    found.push(...(await checkEnd(deployment, clients)));
  } catch (error) {
    found.push(String(error));
  } finally {
    clients.stopping = true;
    await deployment.kill();
    await clients.end();
    answered += clients.answered;
    if (found.length > 0 && !values.keep) console.log(deployment.log.split('\n').slice(-60).join('\n'));
  }
  if (clients.answered === 0) found.push('no request was answered');
  return found;
}

/** One process is left, without descriptors, files or lost requests, and a stop under load ends it. */
async function checkEnd(deployment: Deployment, clients: Clients): Promise<string[]> {
  const found: string[] = [];
  const until = performance.now() + DRAINED_WITHIN_MS;
  while (deployment.processes.length > 1 && performance.now() < until) await sleep(50);
  if (deployment.processes.length !== 1) found.push(`${deployment.processes.length} processes are left, expected 1`);
  const pid = await deployment.serving();
  await clients.pause();
  const open = descriptors(pid);
  if (open > clients.count + DESCRIPTORS_TO_SPARE + 20) found.push(`process ${pid} has ${open} descriptors for ${clients.count} clients`);
  clients.resume();
  const before = clients.lost.length;
  clients.stopping = true;
  signal(pid, 'SIGTERM');
  const stopBy = performance.now() + DRAINED_WITHIN_MS;
  while (deployment.processes.length > 0 && performance.now() < stopBy) await sleep(20);
  if (deployment.processes.length > 0) found.push(`processes ${deployment.processes} are left after the stop`);
  await clients.end();
  for (const { client, error } of clients.lost.slice(before)) found.push(`the stop lost a request of ${client}: ${error}`);
  if (deployment.pid !== undefined) found.push('the pid file is left');
  if (deployment.strayFiles.length > 0) found.push(`files are left: ${deployment.strayFiles.join(', ')}`);
  return found;
}
