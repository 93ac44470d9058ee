import { type IdleResult } from '../peers/results/growth-result.js';
import { rounded } from '../peers/results/statistics.js';
import { askAll, openIdle } from './connections.js';
import { type Kind, Server, gone } from './server.js';

/** This many connections come and go first, so that what Node.js allocates once does not count. */
const FIRST = 100;

/** What idle connections cost: memory, a restart, and a drain, beside a program without ts-grace. */
export async function growIdle(count: number): Promise<IdleResult> {
  const bare = await measure('bare', count);
  const ours = await measure('ours', count);
  return {
    count,
    bareResident: bare.resident,
    resident: ours.resident,
    bareHeap: bare.heap,
    heap: ours.heap,
    restart: ours.restart,
    allMoved: ours.allMoved,
    lost: ours.lost,
    reconnects: ours.reconnects,
    restartStall: ours.restartStall,
    bareDrain: bare.drain,
    drain: ours.drain,
    bareDrainStall: bare.drainStall,
    drainStall: ours.drainStall,
  };
}

interface Measured {
  readonly heap: number;
  readonly resident: number;
  readonly restart: number;
  readonly allMoved: number;
  readonly lost: number;
  readonly reconnects: number;
  readonly restartStall: number;
  readonly drain: number;
  readonly drainStall: number;
}

async function measure(kind: Kind, count: number): Promise<Measured> {
  const server = new Server(kind, { EXPECT: String(count) });
  const port = await server.fact('port');
  for (const socket of await openIdle(port, FIRST)) socket.destroy();
  const [heapBefore = 0, residentBefore = 0] = await server.ask('SIGHUP', 'heap', 'resident');
  const sockets = await openIdle(port, count);
  const [heap = 0, resident = 0] = await server.ask('SIGHUP', 'heap', 'resident');
  const restarted = kind === 'ours' ? await restart(server, port) : { restart: 0, allMoved: 0, restartStall: 0 };
  const { lost, closed } = await askAll(sockets);
  await server.ask('SIGWINCH', 'watching');
  const drain = await server.stop();
  const drainStall = await server.fact('lastStall');
  for (const socket of sockets) socket.destroy();
  await server.end();
  return {
    heap: Math.round((heap - heapBefore) / count),
    resident: Math.round((resident - residentBefore) / count),
    restart: rounded(restarted.restart, 1),
    allMoved: rounded(restarted.allMoved, 1),
    restartStall: rounded(restarted.restartStall, 1),
    lost,
    reconnects: closed,
    drain: rounded(drain, 1),
    drainStall: rounded(drainStall, 1),
  };
}

/** The stall is the longest of both processes. */
async function restart(
  server: Server,
  port: number,
): Promise<{ readonly restart: number; readonly allMoved: number; readonly restartStall: number }> {
  const old = server.pid;
  await server.ask('SIGWINCH', 'watching');
  const begin = performance.now();
  const time = await server.restart(port);
  await server.fact('connections');
  const allMoved = performance.now() - begin;
  await gone(old);
  const [stall = 0] = await server.ask('SIGHUP', 'stall');
  return { restart: time, allMoved, restartStall: Math.max(stall, await server.fact('lastStall', old)) };
}
