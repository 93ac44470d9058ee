import { type ListenersResult } from '../peers/results/growth-result.js';
import { median, rounded } from '../peers/results/statistics.js';
import { type Kind, Server, answeringPid, gone } from './server.js';

const ROUNDS = 5;

interface Round {
  readonly start: number;
  readonly restart: number;
  readonly stop: number;
  readonly resident: number;
}

/** Start, restart and stop of a program with some listeners, beside one without ts-grace. */
export async function growListeners(count: number): Promise<ListenersResult> {
  const rounds: Record<Kind, Round[]> = { bare: [], ours: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const kind of ['bare', 'ours'] as const) rounds[kind].push(await measure(kind, count));
  }
  const middle = (kind: Kind, key: keyof Round): number => rounded(median(rounds[kind].map((round) => round[key])), 1);
  return {
    count,
    bareStart: middle('bare', 'start'),
    start: middle('ours', 'start'),
    restart: middle('ours', 'restart'),
    bareStop: middle('bare', 'stop'),
    stop: middle('ours', 'stop'),
    bareResident: middle('bare', 'resident'),
    resident: middle('ours', 'resident'),
  };
}

async function measure(kind: Kind, count: number): Promise<Round> {
  const begin = performance.now();
  const server = new Server(kind, { LISTENERS: String(count) });
  const port = await server.fact('port');
  await answeringPid(port);
  const start = performance.now() - begin;
  const [resident = 0] = await server.ask('SIGHUP', 'resident');
  const old = server.pid;
  const restart = kind === 'ours' ? await server.restart(port) : 0;
  if (kind === 'ours') await gone(old);
  // When the successor has told its port, it handles signals.
  await server.fact('port');
  const stop = await server.stop();
  await server.end();
  return { start, restart, stop, resident };
}
