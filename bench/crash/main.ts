import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { median } from '../peers/results/statistics.js';
import { Clients, GIVE_UP_MS } from './clients.js';
import { type System, systems } from './systems.js';

/**
 * Kills one worker of four by SIGKILL under load, one after the other, and prints how
 * many requests are lost by it, and the time until four serve again.
 */
const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, clients: { type: 'string', default: '32' } } });
const WORKERS = 4;
const COUNTS_AS_SERVING_MS = 500;
/** What is lost by a death is noticed within this time. */
const AFTERMATH_MS = GIVE_UP_MS + 500;

interface Crash {
  readonly lost: number;
  /** Milliseconds from the signal until a new process answers. */
  readonly back: number;
}

console.log(`${WORKERS} workers, ${values.clients} clients that never retry, half of them with a connection for each request`);
console.log(['system', 'crashes', 'requests lost by each', 'four serve again after', 'slowest'].join('\t'));
const found = new Map<System, Crash[]>(systems().map((system) => [system, []]));
for (let round = 0; round < Number(values.rounds); round += 1) {
  // In turn, as machines are noisy.
  for (const [system, crashes] of found) crashes.push(...(await crashesOf(system)));
}
for (const [{ name }, crashes] of found) {
  const mean = crashes.reduce((sum, { lost }) => sum + lost, 0) / crashes.length;
  const times = crashes.map(({ back }) => back);
  console.log([name, crashes.length, mean.toFixed(1), `${median(times).toFixed(0)} ms`, `${Math.max(...times).toFixed(0)} ms`].join('\t'));
}

/** Kills each of the first four workers once. */
async function crashesOf(system: System): Promise<Crash[]> {
  const port = await freePort();
  const end = system.start(port, WORKERS);
  const clients = new Clients(port, Number(values.clients));
  const crashes: Crash[] = [];
  try {
    const first = await allServing(clients);
    for (const pid of first) {
      await allServing(clients);
      crashes.push(await crash(clients, pid));
    }
  } finally {
    await clients.stop();
    await end();
  }
  return crashes;
}

async function crash(clients: Clients, pid: number): Promise<Crash> {
  const { lost } = clients;
  const known = new Set(clients.answeredBy.keys());
  const begun = performance.now();
  process.kill(pid, 'SIGKILL');
  while ([...clients.answeredBy.keys()].every((each) => known.has(each))) await sleep(1);
  const back = performance.now() - begun;
  await sleep(AFTERMATH_MS);
  return { lost: clients.lost - lost, back };
}

/** Waits until four workers serve and nothing is lost any more. */
async function allServing(clients: Clients): Promise<number[]> {
  for (;;) {
    const { lost } = clients;
    await sleep(COUNTS_AS_SERVING_MS);
    const serving = clients.serving(COUNTS_AS_SERVING_MS);
    if (serving.length === WORKERS && clients.lost === lost) return serving;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}
