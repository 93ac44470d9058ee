import { once } from 'node:events';
import { type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { connect, get, listenTo } from '../support/clients.js';
import { type Program, fixture, start } from '../support/program.js';
import { waitUntil } from '../support/wait.js';

const CLIENTS = 9_000;
const AT_ONCE = 500;
const PLACES = 100;
/** What V8 keeps of a burst in its own tables; a leaked connection has at least 4 KiB. */
const MEMORY_SLACK = 8 * 1024 * 1024;

interface Report {
  readonly open: number;
  readonly queued: number;
  readonly refused: number;
  readonly most: number;
  readonly memory: number;
  readonly limit: number | null;
  readonly free: number | null;
}

async function ports(program: Program, nth = 1): Promise<[number, number]> {
  const { addresses } = await program.announced('ready', nth);
  const [limited, control] = (addresses as string[]).map((address) => Number(address.split(':').at(-1)));
  return [limited!, control!];
}

async function ask(control: number, path = '/'): Promise<Report> {
  return JSON.parse((await get({ port: control }, path)).body) as Report;
}

/**
 * Connections that ask for keep-alive, and so would stay. A crowd at once is more than the kernel's queue
 * takes, and what it drops comes again after seconds.
 */
async function crowd(port: number, count: number): Promise<{ sockets: Socket[]; ends: ReturnType<typeof listenTo>[] }> {
  const sockets: Socket[] = [];
  const ends: ReturnType<typeof listenTo>[] = [];
  while (sockets.length < count) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () => connect({ port }));
    ends.push(...some.map(listenTo));
    await Promise.all(some.map((socket) => once(socket, 'connect')));
    for (const socket of some) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    sockets.push(...some);
  }
  return { sockets, ends };
}

t.test(`${CLIENTS} connections at ${PLACES} places`, async (t) => {
  const limit = { maxConnections: PLACES, maxQueued: CLIENTS };
  const program = start(t, fixture('limited'), {
    args: [JSON.stringify({ limit })],
    nodeArgs: ['--expose-gc'],
  });
  const [port, control] = await ports(program);
  const before = await ask(control);
  const { sockets, ends } = await crowd(port, CLIENTS);
  await waitUntil('a queue', async () => (await ask(control)).queued === CLIENTS - PLACES);
  const full = await ask(control);
  t.match(full, { open: CLIENTS, queued: CLIENTS - PLACES, free: 0, most: PLACES });
  const each = (full.memory - before.memory) / CLIENTS;
  const begin = performance.now();
  await ask(control, '/go');
  // The last ones may stay, as nobody waits for their places.
  await waitUntil('an empty queue', async () => (await ask(control)).queued === 0);
  await waitUntil('few that stay', async () => (await ask(control)).open <= PLACES);
  const took = performance.now() - begin;
  sockets.forEach((socket) => socket.end());
  const answers = await Promise.all(ends);
  t.equal(answers.filter(({ said }) => said.endsWith('served')).length, CLIENTS, 'all are served');
  await waitUntil('an empty house', async () => (await ask(control)).open === 0);
  const after = await ask(control);
  t.equal(after.most, PLACES, 'never more than the limit at a time');
  t.ok(after.memory - before.memory < MEMORY_SLACK, 'memory returns');
  t.comment(`${each.toFixed()} bytes a connection, served within ${took.toFixed()} ms, ${after.memory - before.memory} bytes kept`);
});

t.test('a flood beyond the queue', async (t) => {
  const limit = { maxConnections: PLACES, maxQueued: 500, overflow: '503' };
  const program = start(t, fixture('limited'), { args: [JSON.stringify({ limit })], nodeArgs: ['--expose-gc'] });
  const [port, control] = await ports(program);
  const before = await ask(control);
  const { sockets, ends } = await crowd(port, CLIENTS);
  await waitUntil('everybody', async () => {
    const { queued, refused } = await ask(control);
    return queued + refused === CLIENTS - PLACES;
  });
  await ask(control, '/go');
  await waitUntil('an empty queue', async () => (await ask(control)).queued === 0);
  await sleep(0);
  await waitUntil('few that stay', async () => (await ask(control)).open <= PLACES);
  sockets.forEach((socket) => socket.end());
  const answers = await Promise.all(ends);
  const served = answers.filter(({ said }) => said.endsWith('served')).length;
  const refused = answers.filter(({ said }) => said.startsWith('HTTP/1.1 503 ') && said.endsWith('at the moment.\n')).length;
  t.equal(served, 600, 'what has a place or waits is served');
  t.equal(served + refused, CLIENTS, 'all others have a whole answer that says 503');
  await waitUntil('an empty house', async () => (await ask(control)).open === 0);
  t.ok((await ask(control)).memory - before.memory < MEMORY_SLACK, 'memory returns');
});

t.test('a limit goes over restarts, and holds for old and new process together', async (t) => {
  const program = start(t, fixture('limited'), { args: [JSON.stringify({ limit: { maxConnections: 4 }, tells: true })] });
  const [port, control] = await ports(program);
  t.match(await ask(control), { limit: 4, free: 4 });
  await ask(control, '/limit?n=6');

  let stop = false;
  const clients = Array.from({ length: 30 }, async () => {
    let answered = 0;
    while (!stop) {
      const { body } = await get({ port }, '/?ms=20');
      t.equal(body, 'served');
      answered += 1;
    }
    return answered;
  });
  for (let restart = 1; restart <= 3; restart += 1) {
    await waitUntil('a full house', async () => (await ask(control)).free === 0);
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await program.announced('closed', restart);
    await waitUntil('answers of the new one', () => program.all('begin').some(({ pid }) => pid === program.serving));
  }
  t.match(await ask(control), { limit: 6 }, 'the limit that was set while running');
  stop = true;
  await Promise.all(clients);
  let open = 0;
  let most = 0;
  for (const { event } of program.announcements) {
    if (event === 'begin') open += 1;
    if (event === 'end') open -= 1;
    most = Math.max(most, open);
  }
  t.equal(most, 6, 'of all processes at a time');
  await waitUntil('free places', async () => (await ask(control)).free === 6);
  await ask(control, '/limit?n=Infinity');
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', 5);
  await program.announced('closed', 4);
  t.match(await ask(control), { limit: null, free: null }, 'that there is none any more, too');
});
