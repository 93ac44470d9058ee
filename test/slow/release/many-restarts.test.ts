import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { WebSocket } from 'ws';
import { portOf } from '../../support/address.js';
import { isRunning } from '../../../lib/process-table.js';
import { descriptors } from '../../support/proc.js';
import { type Program, fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const RESTARTS = 50;
const MAX_DRAINING = 3;
/** Those that are one too many, and have not ended yet. */
const HURRYING = 12;
/** So many generations at the start are compared with as many at the end. */
const COMPARED = 15;

t.setTimeout(170_000);

const alive = (program: Program): number[] => program.pids.filter((pid) => isRunning(pid));

/** Memory that a process shares with no other one, in MiB: the code of Node.js counts once for all of them. */
function privateMemory(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const kib = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+)/gm)].reduce((sum, [, value]) => sum + Number(value), 0);
  return kib / 1024;
}

t.test(`${RESTARTS} restarts with a WebSocket open in each: few processes, and flat memory`, async (t) => {
  const program = start(t, fixture('release/socket'), { args: [JSON.stringify({ maxDraining: MAX_DRAINING })] });
  const port = portOf(await program.announced('ready'));
  const sockets: WebSocket[] = [];
  t.teardown(() => sockets.forEach((socket) => socket.terminate()));
  const memory: number[] = [];
  const open: number[] = [];
  let most = 0;
  for (let nth = 1; nth <= RESTARTS; nth += 1) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.on('error', () => undefined);
    sockets.push(socket);
    await once(socket, 'open');
    memory.push(privateMemory(program.serving));
    open.push(descriptors(program.serving));
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('restarted', nth);
    await program.announced('ready', nth + 1);
    most = Math.max(most, alive(program).length);
  }
  t.comment(`at most ${most} processes at the same time`);
  t.ok(most <= MAX_DRAINING + 1 + HURRYING, `${most} processes`);
  await waitUntil(
    'the end of those that are too many',
    () => alive(program).length <= MAX_DRAINING + 1,
    () => `${alive(program).length} processes`,
  );
  // From process to process it differs by 5 MiB, as garbage is collected before the look or after it. The lowest of many does not.
  const [early, late] = [memory.slice(0, COMPARED), memory.slice(-COMPARED)].map((some) => Math.min(...some));
  t.comment(`a process has ${memory.map((mib) => mib.toFixed(1)).join(' ')} MiB for itself`);
  t.ok(late! < early! * 1.1, `no generation needs more than the ones before: ${early!.toFixed(1)} MiB, at the end ${late!.toFixed(1)} MiB`);
  t.ok(open.at(-1)! <= open[1]!, `descriptors: ${open.join(' ')}`);
  process.kill(program.serving, 'SIGTERM');
  for (const socket of sockets) socket.terminate();
  await program.ended();
});
