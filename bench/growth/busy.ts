import { setTimeout as sleep } from 'node:timers/promises';
import { type RequestRecord, now } from '../peers/load/records.js';
import { type BusyResult } from '../peers/results/growth-result.js';
import { quantile, rounded } from '../peers/results/statistics.js';
import { LoadProcess } from '../peers/run/load-process.js';
import { type Kind, Server } from './server.js';

/** Mean pause of a client: 1 000 clients send about 4 000 requests a second. */
const THINK_MS = 250;
const WARM_MS = 2_500;
const QUIET_MS = 2_000;
const AROUND_MS = 2_000;

/** Latency of many busy connections, before a restart and around it, beside a program without ts-grace. */
export async function growBusy(connections: number): Promise<BusyResult> {
  const bare = await measure('bare', connections);
  const ours = await measure('ours', connections);
  return {
    connections,
    bareP50: percentile(bare.before, 0.5),
    bareP99: percentile(bare.before, 0.99),
    p50: percentile(ours.before, 0.5),
    p99: percentile(ours.before, 0.99),
    restartP50: percentile(ours.around, 0.5),
    restartP99: percentile(ours.around, 0.99),
    lost: ours.around.filter(({ pid }) => pid <= 0).length,
    reconnects: ours.around.filter(({ reconnected }) => reconnected).length,
  };
}

async function measure(kind: Kind, connections: number): Promise<{ readonly before: RequestRecord[]; readonly around: RequestRecord[] }> {
  const server = new Server(kind);
  const port = await server.fact('port');
  const load = new LoadProcess(port, { keepAlive: connections, newConnection: 0, think: THINK_MS });
  await sleep(WARM_MS);
  const quiet = now();
  await sleep(QUIET_MS);
  const restart = now();
  if (kind === 'ours') await server.restart(port);
  await sleep(Math.max(0, restart + AROUND_MS - now()));
  const end = now();
  const records = await load.end();
  await server.end();
  const within = (from: number, to: number): RequestRecord[] => records.filter((record) => record.end >= from && record.end < to);
  return { before: within(quiet, restart), around: within(restart, end) };
}

function percentile(records: readonly RequestRecord[], share: number): number {
  const times = records.filter(({ pid }) => pid > 0).map(({ begin, end }) => end - begin);
  return rounded(quantile(times, share));
}
