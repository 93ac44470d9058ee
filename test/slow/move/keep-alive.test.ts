import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { IdleClients } from '../../support/http/idle-clients.js';
import { KeepAliveClient, type Manner } from '../../support/http/keep-alive-client.js';
import { type Program, fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';
import { slowness } from '../support/slowness.js';

/** 200 clients: half of them mostly idle. */
const CLIENTS: Readonly<Record<Manner, number>> = { idle: 100, busy: 60, pipelined: 20, split: 20 };
const RESTARTS = 20;
/** How much longer than without a restart a request may wait. */
const LONGER_MS = 250;
/** In so many of the restarts a machine that stands still for a moment may be the reason of longer waits, but never of this long ones. */
const EXCUSED = 2;
const NEVER_LONGER_MS = 1_000;
/** How long the old process may have connections, if no request is in flight. */
const GONE_AFTER_MS = 1_000;

t.setTimeout(180_000);

function serve(t: Test): Program {
  return start(t, fixture('server'), { args: [JSON.stringify({ http: ['127.0.0.1:0'] })] });
}

/** The longest wait of any client since the last call. */
function longestWait(clients: readonly KeepAliveClient[]): number {
  const longest = Math.max(...clients.map((client) => client.longestWait));
  for (const client of clients) client.longestWait = 0;
  return longest;
}

t.test(`200 clients that never connect again, over ${RESTARTS} restarts`, async (t) => {
  const program = serve(t);
  const port = portOf(await program.announced('ready'));
  const manners = (Object.keys(CLIENTS) as Manner[]).flatMap((manner) => Array.from({ length: CLIENTS[manner] }, () => manner));
  const clients = manners.map((manner) => new KeepAliveClient(port, manner));
  await waitUntil('every client to have an answer', () => clients.every(({ answered }) => answered > 0));
  longestWait(clients);

  // What the start of a process costs all others is no cost of a restart: a program that is started beside takes the same.
  const without: number[] = [];
  const within: number[] = [];
  const starts: number[] = [];
  for (let nth = 1; nth <= RESTARTS; nth += 1) {
    const begin = performance.now();
    const other = serve(t);
    await other.announced('ready');
    starts.push(performance.now() - begin);
    process.kill(other.pid, 'SIGTERM');
    await other.ended();
    without.push(longestWait(clients));

    process.kill(program.serving, 'SIGUSR2');
    await program.announced('draining', nth);
    await program.announced('closed', nth);
    const { serving } = program;
    await waitUntil('the new process to answer every client', () => clients.every(({ pids }) => pids.has(String(serving))));
    await sleep(100);
    within.push(longestWait(clients));
  }
  await Promise.all(clients.map((client) => client.stop()));
  t.strictSame(
    clients.flatMap(({ complaints }) => complaints),
    [],
    'no request is lost, and no connection is closed',
  );
  t.ok(
    clients.every(({ pids }) => pids.size === RESTARTS + 1),
    `${RESTARTS + 1} processes answered on each connection`,
  );
  t.comment(`waits: ${within.map(Math.round).join(' ')}; without: ${without.map(Math.round).join(' ')}`);
  const [most, usual] = [within.toSorted((a, b) => b - a)[EXCUSED]!, Math.max(...without)];
  const slower = slowness(starts);
  t.comment(`starts: ${starts.map(Math.round).join(' ')}`);
  t.ok(
    most <= usual + LONGER_MS * slower,
    `in ${RESTARTS - EXCUSED} restarts the longest wait is ${most.toFixed(0)} ms, and ${usual.toFixed(0)} ms without a restart`,
  );
  t.ok(Math.max(...within) <= NEVER_LONGER_MS * slower, `no wait is longer than ${Math.max(...within).toFixed(0)} ms`);
  t.comment(`${clients.reduce((sum, { answered }) => sum + answered, 0)} requests`);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});

t.test('if no request is in flight, the old process has no connection after a second', async (t) => {
  const program = start(t, fixture('move/watched'));
  const port = portOf(await program.announced('ready'));
  const clients = await IdleClients.connect(t, port, 200);
  for (const nth of [1, 2, 3]) {
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', nth + 1);
    const [begin, end] = [await program.announced('begin', nth), await program.announced('end', nth)];
    const took = Number(end['at']) - Number(begin['at']);
    t.ok(took <= GONE_AFTER_MS, `after ${took.toFixed(0)} ms`);
  }
  t.equal(clients.ended, 0);
  clients.destroy();
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});
