import { readFileSync } from 'node:fs';
import net from 'node:net';
import { processState } from '../proc.js';
import { waitUntil } from '../wait.js';

const LISTENING = '0A';
/** The kernel answers on the loopback device at once, or a moment later on a busy machine. */
const PATIENCE_MS = 1_000;
const MORE_THAN_FIT = 10;

/** The largest backlog of this machine: listen(2) reduces others to it. */
export const LARGEST_BACKLOG = Number(readFileSync('/proc/sys/net/core/somaxconn', 'utf8'));

/**
 * The backlog of a port of 127.0.0.1: more connections are begun than it has room for, and the
 * kernel's queue is read from /proc/net/tcp. The process that listens must not accept meanwhile: it is this one, or stopped.
 * The kernel keeps one connection more than the backlog.
 */
export async function measureBacklog(port: number, expected: number): Promise<number> {
  const sockets = Array.from({ length: expected + MORE_THAN_FIT }, () => net.connect(port, '127.0.0.1').on('error', () => undefined));
  // connect(2) is called on the next tick. No event loop polls between that and the look at the queue.
  await new Promise<void>((done) => process.nextTick(done));
  const end = performance.now() + PATIENCE_MS;
  while (acceptQueue(port) <= expected && performance.now() < end);
  const measured = acceptQueue(port) - 1;
  for (const socket of sockets) socket.destroy();
  return measured;
}

/** The same for the port of another process, which is stopped meanwhile. */
export async function backlogOf(pid: number, port: number, expected: number): Promise<number> {
  process.kill(pid, 'SIGSTOP');
  await waitUntil('the process to stop', () => processState(pid) === 'T');
  const measured = await measureBacklog(port, expected);
  process.kill(pid, 'SIGCONT');
  return measured;
}

/** How many connections wait to be accepted: the column rx_queue of a socket that listens. */
function acceptQueue(port: number): number {
  const local = `0100007F:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((row) => row.trim().split(/\s+/));
  const row = rows.find((columns) => columns[1] === local && columns[3] === LISTENING);
  if (row === undefined) throw new Error(`nothing listens on port ${port}`);
  return Number.parseInt(row[4]!.split(':')[1]!, 16);
}
