import t, { type Test } from 'tap';
import { portsOf } from '../../support/address.js';
import { KeepAliveClient, type Manner } from '../../support/http/keep-alive-client.js';
import { type RawClient, rawClient } from '../../support/http/raw-client.js';
import { isRunning } from '../../../lib/process-table.js';
import { type Program, fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const GET = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

async function serveHttp(t: Test, options: object = {}): Promise<{ program: Program; port: number }> {
  const program = start(t, fixture('server'), { args: [JSON.stringify({ http: [':0'], ...options })] });
  const [port] = portsOf(await program.announced('ready'));
  return { program, port: port! };
}

/** Waits for both ends of the first restart: the old process may say that it drains before the new one says that it is ready. */
async function handedOver(program: Program): Promise<void> {
  await program.announced('draining');
  await program.announced('ready', 2);
}

/** Restarts, and waits until the old process has left. */
async function restart(program: Program, nth: number): Promise<void> {
  const old = program.serving;
  process.kill(old, 'SIGUSR2');
  await program.announced('ready', nth + 1);
  await program.announced('closed', nth);
  await waitUntil('the old process to leave', () => !isRunning(old));
}

/** Ends what is left: the clients leave first, as a final stop would wait for them. */
async function stop(program: Program, ...clients: readonly RawClient[]): Promise<void> {
  for (const client of clients) client.destroy();
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
}

t.test('no keep-alive client has to connect again in 3 restarts: busy, idle, pipelining, and with heads in two pieces', async (t) => {
  const { program, port } = await serveHttp(t);
  const manners: Manner[] = ['busy', 'idle', 'pipelined', 'split'];
  const clients = manners.flatMap((manner) => Array.from({ length: 8 }, () => new KeepAliveClient(port, manner)));
  await waitUntil('every client to have an answer', () => clients.every(({ answered }) => answered > 0));
  for (let nth = 1; nth <= 3; nth += 1) {
    await restart(program, nth);
    await waitUntil('the new process to answer every client', () => clients.every(({ pids }) => pids.has(String(program.serving))));
  }
  await Promise.all(clients.map((client) => client.stop()));
  t.strictSame(
    clients.flatMap(({ complaints }) => complaints),
    [],
  );
  t.ok(
    clients.every(({ pids }) => pids.size === 4),
    'four processes answered on each connection',
  );
  t.comment(`${clients.reduce((sum, { answered }) => sum + answered, 0)} requests`);
  await stop(program);
  t.strictSame(
    program.all('closed').map(({ code }) => code),
    [0, 0, 0, 0],
  );
  t.notMatch(program.stderr, /warning/i);
});

t.test('a connection that has not spoken moves, and one that is idle, long before idleTimeout', async (t) => {
  const { program, port } = await serveHttp(t, { idleTimeout: 25_000 });
  const silent = await rawClient(t, port);
  const idle = await rawClient(t, port);
  idle.send(GET);
  await idle.answered(1);
  const begin = performance.now();
  await restart(program, 1);
  t.ok(performance.now() - begin < 15_000, 'the old process did not wait for them');
  for (const client of [silent, idle]) client.send(GET);
  for (const client of [silent, idle]) {
    const answer = (await client.answered(client === idle ? 2 : 1)).at(-1)!;
    t.equal(Number(answer.headers['x-pid']), program.serving, 'the new process answers');
    t.equal(client.ended, undefined);
  }
  await stop(program, silent, idle);
});

t.test('a connection with a request in flight moves after its answer, which says keep-alive', async (t) => {
  const { program, port } = await serveHttp(t);
  const client = await rawClient(t, port);
  const old = program.serving;
  client.send('GET /?ms=2000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  process.kill(old, 'SIGUSR2');
  await program.announced('draining');
  await client.answered(1);
  await program.announced('closed');
  client.send(GET);
  const [first, second] = await client.answered(2);
  t.equal(Number(first!.headers['x-pid']), old);
  t.match(first!.headers['connection'], 'keep-alive');
  t.equal(Number(second!.headers['x-pid']), program.serving);
  await stop(program, client);
});

t.test(
  'a request whose head has begun is answered by the old process, also one that came with the request before; then the connection moves',
  async (t) => {
    const { program, port } = await serveHttp(t);
    const begun = await rawClient(t, port);
    begun.send('GET /?begun HT');
    const pipelined = await rawClient(t, port);
    pipelined.send(`${GET}GET /?pipelined HT`);
    await pipelined.answered(1);
    const old = program.serving;
    process.kill(old, 'SIGUSR2');
    await program.announced('draining');
    const other = await rawClient(t, port);
    other.send(GET);
    await other.answered(1);
    for (const client of [begun, pipelined]) client.send(`TP/1.1\r\nHost: localhost\r\n\r\n`);
    for (const client of [begun, pipelined]) {
      const answer = (await client.answered(client === begun ? 1 : 2)).at(-1)!;
      t.equal(answer.status, 200);
      t.equal(Number(answer.headers['x-pid']), old);
    }
    await program.announced('closed');
    for (const client of [begun, pipelined]) {
      client.send(GET);
      const answer = (await client.answered(client === begun ? 2 : 3)).at(-1)!;
      t.equal(Number(answer.headers['x-pid']), program.serving);
    }
    await stop(program, begun, pipelined, other);
  },
);

for (const [moveOnlyIn, who] of [
  ['successor', 'the old process'],
  ['first', 'the successor'],
]) {
  t.test(`with moveConnections: false in ${who} the connections drain: the answer says Connection: close`, async (t) => {
    const { program, port } = await serveHttp(t, { moveOnlyIn });
    const client = await rawClient(t, port);
    client.send('GET /?ms=2000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    process.kill(program.serving, 'SIGUSR2');
    const [answer] = await client.answered(1);
    t.equal(answer!.headers['connection'], 'close');
    await program.announced('closed');
    await stop(program, client);
  });
}

t.test('a chain of restarts: what an old generation still has passes through those that drain to the one that serves', async (t) => {
  const { program, port } = await serveHttp(t);
  const client = await rawClient(t, port);
  const first = program.serving;
  client.send('GET /?ms=3000 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  for (const nth of [1, 2]) {
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', nth + 1);
    await program.announced('draining', nth);
  }
  const [answer] = await client.answered(1);
  t.equal(Number(answer!.headers['x-pid']), first);
  await program.announced('closed', 2);
  client.send(GET);
  t.equal(Number((await client.answered(2))[1]!.headers['x-pid']), program.serving);
  t.equal(client.ended, undefined);
  await stop(program, client);
});

t.test('if the successor is killed, the old process serves what it still has', async (t) => {
  const { program, port } = await serveHttp(t);
  const client = await rawClient(t, port);
  const old = program.serving;
  client.send('GET /?ms=2500 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  process.kill(old, 'SIGUSR2');
  await handedOver(program);
  process.kill(program.serving, 'SIGKILL');
  const [answer] = await client.answered(1);
  t.equal(Number(answer!.headers['x-pid']), old);
  t.equal(answer!.headers['connection'], 'close', 'it can go nowhere');
  await program.ended();
});

t.test('SIGTERM to the successor while the old process still has connections: it takes no more, and both drain', async (t) => {
  const { program, port } = await serveHttp(t);
  const client = await rawClient(t, port);
  client.send('GET /?ms=2500 HTTP/1.1\r\nHost: localhost\r\n\r\n');
  process.kill(program.serving, 'SIGUSR2');
  await handedOver(program);
  await stop(program);
  const [answer] = await client.answered(1);
  t.equal(answer!.headers['connection'], 'close');
  t.strictSame(
    program.all('closed').map(({ code }) => code),
    [0, 0],
  );
});
