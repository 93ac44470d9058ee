import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { KeepAliveClient, type Manner } from '../../support/http/keep-alive-client.js';
import { fixture } from '../../support/program.js';
import { type Starter, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

const MANNERS: readonly Manner[] = ['busy', 'idle', 'pipelined', 'split'];
const CLIENTS = 24;
const DEPLOYS = 2;

/** start_server with two workers, and clients of both. */
async function serve(t: Test, options: object = {}): Promise<{ starter: Starter; clients: readonly KeepAliveClient[] }> {
  const command = [process.execPath, fixture('server'), JSON.stringify({ http: [':0'], ...options })];
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.2', '--ready-timeout=30', '--workers=2', '--', ...command]);
  const port = portOf(await starter.program.announced('ready', 2));
  const clients = Array.from({ length: CLIENTS }, (_, index) => new KeepAliveClient(port, MANNERS[index % MANNERS.length]!));
  t.teardown(() => Promise.all(clients.map((client) => client.stop())));
  await waitUntil('an answer to each client', () => clients.every(({ answered }) => answered > 0));
  return { starter, clients };
}

/** Replaces both workers, and waits until the old ones have exited. */
async function deploy(starter: Starter, nth: number): Promise<ReadonlySet<number>> {
  starter.signal('SIGHUP');
  await starter.program.announced('closed', 2 * nth);
  return new Set(
    starter.program
      .all('ready')
      .slice(-2)
      .map(({ pid }) => pid),
  );
}

t.test(`connections go from worker to worker in ${DEPLOYS} deploys: no client connects again, and nothing is lost`, async (t) => {
  const { starter, clients } = await serve(t);
  for (let nth = 1; nth <= DEPLOYS; nth += 1) {
    const workers = await deploy(starter, nth);
    await waitUntil('answers of the new workers', () =>
      clients.every(({ headers, complaints }) => workers.has(Number(headers['x-pid'])) || complaints.length > 0),
    );
  }
  t.strictSame(
    clients.flatMap(({ complaints }) => complaints),
    [],
  );
  t.strictSame(
    clients.map(({ pids }) => pids.size),
    clients.map(() => DEPLOYS + 1),
    'on each connection, a worker of each deploy has answered',
  );
  await Promise.all(clients.map((client) => client.stop()));
  t.match(await starter.stop(), { code: 0 });
});

t.test('with moveConnections: false they drain', async (t) => {
  const { starter, clients } = await serve(t, { moveConnections: false });
  await deploy(starter, 1);
  await waitUntil('the end of each connection', () => clients.every(({ complaints }) => complaints.length > 0));
  t.ok(clients.every(({ complaints }) => complaints[0] === 'an answer said Connection: close'));
  t.match(await starter.stop(), { code: 0 });
});

t.test('a program that does not use this library does not see the channel', async (t) => {
  const program = `console.log(JSON.stringify({ event: 'seen', pid: process.pid, names: Object.keys(process.env), send: typeof process.send }))`;
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--', process.execPath, '-e', `${program}; setInterval(() => {}, 1000)`]);
  const { names, send } = await starter.program.announced('seen');
  t.notOk((names as string[]).some((name) => name.startsWith('NODE_CHANNEL')));
  t.equal(send, 'undefined');
  t.match(await starter.stop(), { code: 0 });
});
