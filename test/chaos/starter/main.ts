import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { installPackage } from '../../support/installed.js';
import { descriptors, resident } from '../../support/proc.js';
import { freePort } from '../../support/sockets.js';
import { Clients } from '../clients.js';
import { signal } from '../deployment.js';
import { Random } from '../random.js';
import { FAULTS } from './faults.js';
import { Service } from './service.js';

/**
 * Plays random sequences of faults against start_server, as it is packed and
 * installed, under clients that never retry, and checks after each that the right
 * number of workers serves, that nothing is lost, and at the end that nothing is left.
 */
const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string', default: '3' },
    faults: { type: 'string', default: '8' },
    only: { type: 'string', multiple: true, default: [] },
    clients: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
  },
});

const WORKERS = [1, 2, 4];
/** Requests in a process that was killed fail at once; those behind a reset a moment later. */
const LOST_WITH_PROCESS_MS = 1_500;
const STOPPED_WITHIN_MS = 12_000;
const MEMORY_KIB = 60 * 1024;
/** What is open for a moment, for example the pipe of a worker that has just exited. */
const DESCRIPTORS_TO_SPARE = 8;

const names = Object.keys(FAULTS).filter((name) => values.only.length === 0 || values.only.includes(name));
if (names.length === 0) throw new Error(`there is no such fault, expected some of: ${Object.keys(FAULTS).join('; ')}`);
const scratch = mkdtempSync(join(tmpdir(), 'grace-chaos-'));
const { folder: user } = installPackage(scratch);
const main = join(user, 'node_modules', '.bin', 'start_server');

let broken = 0;
let answered = 0;
let played = 0;
for (let index = 0; index < Number(values.seeds); index += 1) {
  const seed = Number(values.seed) + index;
  const found = await play(seed, WORKERS[seed % WORKERS.length]!);
  broken += found.length;
  console.log(`seed ${seed}: ${found.length === 0 ? 'every promise kept' : `BROKEN\n  ${found.join('\n  ')}`}`);
}
if (values.keep) console.log(`kept ${scratch}`);
else rmSync(scratch, { recursive: true, force: true });
console.log(`${played} faults, ${answered} requests answered, ${broken} promises broken`);
process.exitCode = broken === 0 && played > 0 && answered > 0 ? 0 : 1;

/** Plays the faults of one seed; returns the promises that were broken. */
async function play(seed: number, workers: number): Promise<string[]> {
  const random = new Random(seed);
  const folder = mkdtempSync(join(scratch, `seed-${seed}-`));
  symlinkSync(join(user, 'node_modules'), join(folder, 'node_modules'));
  const service = new Service(folder, await freePort(), workers, main);
  const found: string[] = [];
  await service.start();
  const clients = new Clients(service.targets, Number(values.clients));
  const open = descriptors(service.pid!);
  try {
    for (let number = 1; number <= Number(values.faults); number += 1) {
      const name = random.pick(names);
      const fault = FAULTS[name]!;
      const lostBefore = clients.lost.length;
      const told = await fault.run({ service, clients, random });
      played += 1;
      const report = (problem: string): number => found.push(`fault ${number}, ${name}, ${workers} workers: ${problem} (${told})`);
      await service.settled().catch((error: Error) => report(error.message));
      if (fault.kills) await sleep(LOST_WITH_PROCESS_MS);
      const lost = clients.lost.slice(lostBefore);
      if (!fault.kills && lost.length > 0) report(`${lost.length} requests lost, such as ${lost[0]!.client}: ${lost[0]!.error}`);
      if (fault.kills && lost.length > clients.count * 2) report(`${lost.length} requests lost, more than a process had`);
      if (found.length > 0) break;
    }
    if (found.length === 0) found.push(...(await checkEnd(service, clients, open)));
  } catch (error) {
    found.push(String(error));
  } finally {
    clients.stopping = true;
    await service.kill();
    await clients.end();
    answered += clients.answered;
    if (found.length > 0) console.log(service.log.split('\n').slice(-60).join('\n'));
  }
  return found;
}

/** Neither memory nor descriptors grow, and a stop under load loses nothing and leaves nothing. */
async function checkEnd(service: Service, clients: Clients, before: number): Promise<string[]> {
  const found: string[] = [];
  const { pid } = service;
  const open = descriptors(pid!);
  if (open > before + DESCRIPTORS_TO_SPARE) found.push(`start_server has ${open} descriptors, ${before} at the start`);
  const memory = resident(pid!);
  if (memory > MEMORY_KIB) found.push(`start_server has ${memory} KiB`);
  const lost = clients.lost.length;
  clients.stopping = true;
  signal(pid, 'SIGTERM');
  const end = performance.now() + STOPPED_WITHIN_MS;
  while (service.processes.length > 0 && performance.now() < end) await sleep(20);
  if (service.processes.length > 0) found.push(`processes ${service.processes} are left after the stop`);
  await clients.end();
  for (const { client, error } of clients.lost.slice(lost)) found.push(`the stop lost a request of ${client}: ${error}`);
  if (service.strayFiles.length > 0) found.push(`files are left: ${service.strayFiles.join(', ')}`);
  return found;
}
