import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './peers/results/statistics.js';
import { Program } from './program.js';

const CLIENTS = 16;
const KEEP_ALIVE = 12;
/** Pause of a client between two requests: the server is not saturated. */
const THINK_MS = 20;
const ROUNDS = 5;
const QUIET_MS = 2_000;
const FIRST_MS = 300;
const AFTER_MS = 2_000;

interface Answer {
  readonly pid: number;
  readonly begin: number;
  readonly milliseconds: number;
}

/** How slow answers are after a restart, divided by how slow they are without one. */
export interface Slowdown {
  /** 95 % of the answers in the 300 ms from the first new one on. */
  readonly p95: number;
  /** 99 % of the answers in the 2 s from the first new one on. */
  readonly p99: number;
}

/** The medians of several restarts. */
export async function slowdown(warmup: boolean): Promise<Slowdown> {
  const program = new Program('page', warmup ? { WARMUP: '1' } : {});
  const port = await program.fact('port');
  const answers: Answer[] = [];
  let asking = true;
  const clients = Array.from({ length: CLIENTS }, (_, index) => ask(port, index < KEEP_ALIVE, answers, () => asking));
  await sleep(QUIET_MS);
  const found: Slowdown[] = [];
  let pid = answers.at(-1)!.pid;
  for (let round = 0; round < ROUNDS; round += 1) {
    answers.length = 0;
    await sleep(QUIET_MS);
    const quiet = answers.map(({ milliseconds }) => milliseconds);
    answers.length = 0;
    process.kill(pid, 'SIGUSR2');
    while (!answers.some((answer) => answer.pid !== pid)) await sleep(1);
    await sleep(AFTER_MS);
    const first = answers.find((answer) => answer.pid !== pid)!;
    const within = (time: number): number[] =>
      answers.filter(({ begin }) => begin >= first.begin && begin < first.begin + time).map(({ milliseconds }) => milliseconds);
    found.push({
      p95: quantile(within(FIRST_MS), 0.95) / quantile(quiet, 0.95),
      p99: quantile(within(AFTER_MS), 0.99) / quantile(quiet, 0.99),
    });
    pid = first.pid;
  }
  asking = false;
  await Promise.all(clients);
  await program.end(pid);
  return { p95: median(found.map(({ p95 }) => p95)), p99: median(found.map(({ p99 }) => p99)) };
}

async function ask(port: number, keepAlive: boolean, answers: Answer[], goesOn: () => boolean): Promise<void> {
  const agent = new http.Agent({ keepAlive, maxSockets: 1 });
  for (let count = 0; goesOn(); count += 1) {
    const begin = performance.now();
    const pid = await get(port, agent, count);
    answers.push({ pid, begin, milliseconds: performance.now() - begin });
    await sleep(Math.random() * THINK_MS * 2);
  }
  agent.destroy();
}

function get(port: number, agent: http.Agent, count: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, host: '127.0.0.1', agent, path: `/?${count}` }, (response) => {
        response.resume().on('end', () => resolve(Number(response.headers['x-pid'])));
      })
      .on('error', reject);
  });
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
