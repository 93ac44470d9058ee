import http from 'node:http';
import { once } from 'node:events';
import { type Socket } from 'node:net';
import t, { type Test } from 'tap';
import { portsOf } from '../support/address.js';
import { answerTo, connect, get, listenTo, open } from '../support/http/client.js';
import { type Program, fixture, start } from '../support/program.js';
import { waitUntil } from '../support/wait.js';

const CLIENTS = 9_000;
const AT_ONCE = 500;
const PLACES = 100;
/** V8 keeps this much in its own tables after a burst; a leaked connection takes at least 4 KiB. */
const MEMORY_SLACK = 8 * 1024 * 1024;

/** A time-out that no test waits for, and a time that is much shorter, but enough on a busy machine. */
const LONG_MS = 60_000;
const SOON_MS = 20_000;

const UPGRADE = 'GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n';

interface Report {
  readonly open: number;
  readonly queued: number;
  readonly refused: number;
  readonly most: number;
  readonly memory: number;
  readonly limit: number | null;
  readonly free: number | null;
}

/** The port with the limit, and the one that tells of it. */
async function ports(program: Program): Promise<[number, number]> {
  return portsOf(await program.announced('ready')) as [number, number];
}

async function report(control: number, path = '/'): Promise<Report> {
  return JSON.parse((await get({ port: control }, path)).body) as Report;
}

/** What a connection needed may be freed a moment after its end. */
async function memoryIsFreed(control: number, before: Report): Promise<void> {
  await waitUntil('the memory to be freed', async () => (await report(control, '/memory')).memory - before.memory < MEMORY_SLACK);
}

/**
 * Opens connections that ask for keep-alive, and so stay open. It opens a few at a time: more than the
 * kernel's queue holds would be dropped, and tried again only after seconds.
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
  // Without a longest wait: a busy machine may need more than its default until all are served.
  const limit = { maxConnections: PLACES, maxQueued: CLIENTS, queueTimeout: 0 };
  const program = start(t, fixture('limited'), {
    args: [JSON.stringify({ limit })],
    nodeArgs: ['--expose-gc'],
  });
  const [port, control] = await ports(program);
  const before = await report(control, '/memory');
  const { sockets, ends } = await crowd(port, CLIENTS);
  await waitUntil('a queue', async () => {
    const { queued, most } = await report(control);
    return queued === CLIENTS - PLACES && most === PLACES;
  });
  const full = await report(control, '/memory');
  t.match(full, { open: CLIENTS, queued: CLIENTS - PLACES, free: 0, most: PLACES });
  const each = (full.memory - before.memory) / CLIENTS;
  const begin = performance.now();
  await report(control, '/go');
  // The last ones may stay open, as no connection waits for their places.
  await waitUntil('an empty queue', async () => (await report(control)).queued === 0);
  await waitUntil('the surplus connections to close', async () => (await report(control)).open <= PLACES);
  const took = performance.now() - begin;
  sockets.forEach((socket) => socket.end());
  const answers = await Promise.all(ends);
  t.equal(answers.filter(({ said }) => said.endsWith('served')).length, CLIENTS, 'all are served');
  await waitUntil('the end of all connections', async () => (await report(control)).open === 0);
  await memoryIsFreed(control, before);
  const after = await report(control, '/memory');
  t.equal(after.most, PLACES, 'never more than the limit at a time');
  t.comment(`${each.toFixed()} bytes a connection, served within ${took.toFixed()} ms, ${after.memory - before.memory} bytes kept`);
});

t.test('connections beyond the queue get 503', async (t) => {
  const limit = { maxConnections: PLACES, maxQueued: 500, queueTimeout: 0, overflow: '503' };
  const program = start(t, fixture('limited'), { args: [JSON.stringify({ limit })], nodeArgs: ['--expose-gc'] });
  const [port, control] = await ports(program);
  const before = await report(control, '/memory');
  const { sockets, ends } = await crowd(port, CLIENTS);
  await waitUntil('all connections to be queued or refused', async () => {
    const { queued, refused } = await report(control);
    return queued + refused === CLIENTS - PLACES;
  });
  await report(control, '/go');
  await waitUntil('an empty queue', async () => (await report(control)).queued === 0);
  await waitUntil('the surplus connections to close', async () => (await report(control)).open <= PLACES);
  sockets.forEach((socket) => socket.end());
  const answers = await Promise.all(ends);
  const served = answers.filter(({ said }) => said.endsWith('served')).length;
  const refused = answers.filter(({ said }) => said.startsWith('HTTP/1.1 503 ') && said.endsWith('at the moment.\n')).length;
  t.equal(served, 600, 'connections with a place or in the queue are served');
  t.equal(served + refused, CLIENTS, 'all others get a whole answer with status 503');
  await waitUntil('the end of all connections', async () => (await report(control)).open === 0);
  await memoryIsFreed(control, before);
});

t.test('a limit is kept over restarts and holds for old and new process together', async (t) => {
  const program = start(t, fixture('limited'), { args: [JSON.stringify({ limit: { maxConnections: 4 }, tells: true })] });
  const [port, control] = await ports(program);
  t.match(await report(control), { limit: 4, free: 4 });
  await report(control, '/limit?n=6');

  let stop = false;
  const clients = Array.from({ length: 30 }, async () => {
    let answered = 0;
    while (!stop) {
      const { body } = await get({ port }, '/?ms=20');
      if (body !== 'served') throw new Error(`not the whole answer: ${body}`);
      answered += 1;
    }
    return answered;
  });
  for (let restart = 1; restart <= 3; restart += 1) {
    await waitUntil('all places to be taken', async () => (await report(control)).free === 0);
    process.kill(program.serving, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await program.announced('closed', restart);
    await waitUntil('answers of the new process', () => program.all('begin').some(({ pid }) => pid === program.serving));
  }
  t.match(await report(control), { limit: 6 }, 'the limit that was set at run time');
  stop = true;
  const answered = await Promise.all(clients);
  t.equal(answered.filter((count) => count > 0).length, 30, 'each client was served');
  let open = 0;
  let most = 0;
  for (const { event } of program.announcements) {
    if (event === 'begin') open += 1;
    if (event === 'end') open -= 1;
    most = Math.max(most, open);
  }
  t.equal(most, 6, 'requests in flight in all processes together');
  await waitUntil('free places', async () => (await report(control)).free === 6);
  await report(control, '/limit?n=Infinity');
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', 5);
  await program.announced('closed', 4);
  t.match(await report(control), { limit: null, free: null }, 'no limit, which is kept too');
});

/** Requests that are answered at once, each on a connection of its own. Returns the time for all of them. */
async function timeOf(port: number, count = 1): Promise<number> {
  const begin = performance.now();
  const answers = await Promise.all(Array.from({ length: count }, () => get({ port }, '/?ms=0')));
  const wrong = answers.find(({ body }) => body !== 'served');
  if (wrong !== undefined) throw new Error(`not served: ${wrong.status} ${wrong.body}`);
  return performance.now() - begin;
}

t.test('after limit(Infinity) a restart serves newcomers at once, also with a new limit', async (t) => {
  const program = start(t, fixture('limited'), {
    args: [JSON.stringify({ limit: { maxConnections: 4 }, tells: true, drainTimeout: LONG_MS })],
  });
  const [port, control] = await ports(program);
  t.match(await report(control, '/limit?n=Infinity'), { limit: null, free: null });
  const upload = open({ port }, { method: 'POST', path: '/?upload', agent: false });
  upload.flushHeaders();
  const answer = answerTo(upload);
  await program.announced('begin');
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  // The predecessor drains as long as this upload lasts, so these are answered meanwhile or never.
  await timeOf(port, 10);
  await waitUntil('the places that the predecessor leaves', async () => (await report(control, '/limit?n=3')).free === 2);
  await timeOf(port, 4);
  t.equal(program.all('closed').length, 0, 'the predecessor still drains');
  upload.end();
  t.equal((await answer).body, 'served');
  await program.announced('closed');
});

for (const moveConnections of [true, false]) {
  for (const [when, announced] of Object.entries({ 'before a restart ends': 'successor', 'after a restart': 'ready' })) {
    const what = moveConnections ? 'a successor that got its connections' : 'a predecessor that drains';
    t.test(`${what} makes room for connections that wait, from ${when} on`, async (t) => {
      const program = start(t, fixture('limited'), {
        args: [JSON.stringify({ limit: { maxConnections: 3 }, moveConnections, keepAliveTimeout: LONG_MS, drainTimeout: LONG_MS })],
      });
      const [port] = await ports(program);
      const agent = new http.Agent({ keepAlive: true });
      t.teardown(() => agent.destroy());
      await Promise.all(Array.from({ length: 3 }, () => get({ port }, '/?ms=50', { agent })));
      process.kill(program.pid, 'SIGUSR2');
      await program.announced(announced, announced === 'ready' ? 2 : 1);
      const took = await timeOf(port);
      t.ok(took < SOON_MS, `a newcomer waited ${took.toFixed()} ms, less than any timeout`);
      const kept = (): number => Object.values(agent.freeSockets).flat().length;
      await waitUntil('the end of a connection', () => kept() < 3);
      t.equal(kept(), 2, 'one idle connection is closed for one newcomer');
      agent.destroy();
      await program.announced('closed');
    });
  }
}

t.test('a connection that waits, and that the successor does not let wait, is served all the same', async (t) => {
  const program = start(t, fixture('limited'), {
    args: [
      JSON.stringify({
        limit: { maxConnections: 1 },
        limitInSuccessor: { maxConnections: 1, maxQueued: 0 },
        tells: true,
        drainTimeout: LONG_MS,
      }),
    ],
  });
  const [port, control] = await ports(program);
  const upload = open({ port }, { method: 'POST', path: '/?upload', agent: false });
  upload.flushHeaders();
  const answer = answerTo(upload);
  await program.announced('begin');
  const newcomer = timeOf(port);
  await waitUntil('a connection that waits', async () => (await report(control)).queued === 1);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('draining');
  upload.end();
  t.equal((await answer).body, 'served');
  const took = await newcomer;
  t.ok(took < SOON_MS, `it waited ${took.toFixed()} ms`);
  await program.announced('closed');
});

t.test('upgraded connections of a predecessor leave for connections that wait in its successor', async (t) => {
  const program = start(t, fixture('limited'), { args: [JSON.stringify({ limit: { maxConnections: 3 }, drainTimeout: LONG_MS })] });
  const [port] = await ports(program);
  const upgraded = Array.from({ length: 3 }, () => connect({ port }));
  for (const socket of upgraded) {
    socket.write(UPGRADE);
    await once(socket, 'data');
  }
  // It speaks all the time, and is closed all the same, as it has to leave.
  const speak = setInterval(() => upgraded.forEach((socket) => socket.write('x')), 100);
  t.teardown(() => clearInterval(speak));
  const ends = upgraded.map((socket) => once(socket, 'close'));
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  const took = await timeOf(port);
  t.ok(took < SOON_MS, `a newcomer waited ${took.toFixed()} ms, less than drainTimeout`);
  const closed = (): number => upgraded.filter(({ destroyed }) => destroyed).length;
  await waitUntil('the end of a connection', () => closed() > 0);
  t.equal(closed(), 1, 'one connection is closed for one newcomer');
  upgraded.forEach((socket) => socket.destroy());
  await Promise.all(ends);
  await program.announced('closed');
});

/** Two places, which are both taken until the test ends the uploads, and a restart that the test takes back. */
async function full(t: Test, options: object = {}): Promise<{ program: Program; port: number; control: number; free(): Promise<void> }> {
  const args = { limit: { maxConnections: 2 }, follow: false, probation: LONG_MS, tells: true, ...options };
  const program = start(t, fixture('limited'), { args: [JSON.stringify(args)] });
  const [port, control] = await ports(program);
  const uploads = [1, 2].map(() => open({ port }, { method: 'POST', path: '/?upload', agent: false }));
  const answers = uploads.map(answerTo);
  uploads.forEach((upload) => upload.flushHeaders());
  await waitUntil('both uploads', () => program.all('begin').length === 2);
  const free = async (): Promise<void> => {
    uploads.forEach((upload) => upload.end());
    for (const { body } of await Promise.all(answers)) t.equal(body, 'served');
    await waitUntil('two free places', () => program.all('end of connection').filter(({ pid }) => pid === program.pid).length >= 2);
  };
  return { program, port, control, free };
}

t.test('after a restart was taken back, nobody has to leave for connections that waited in the dead process', async (t) => {
  const { program, port, control, free } = await full(t);
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await program.announced('restarted');
  const waiting = Array.from({ length: 3 }, () => get({ port }, '/?ms=0', { agent: false }));
  const ends = Promise.allSettled(waiting);
  await waitUntil('connections that wait', async () => (await report(control)).queued === 3);
  process.kill(pid, 'SIGKILL');
  await program.announced('restart-reverted');
  await ends;
  await free();
  const upgraded = connect({ port });
  t.teardown(() => upgraded.destroy());
  upgraded.write(UPGRADE);
  await once(upgraded, 'data');
  // For others, an upgraded connection would have to leave within two seconds.
  await Promise.race([once(upgraded, 'close'), new Promise((done) => setTimeout(done, 3_000))]);
  t.notOk(upgraded.destroyed, 'an upgraded connection stays');
  const { headers } = await get({ port }, '/?ms=0', { headers: { connection: 'keep-alive' } });
  t.equal(headers.connection, 'keep-alive');
});

t.test('connections that wait, and were on their way to a process that died, get the free places', async (t) => {
  const { program, port, control, free } = await full(t, { stops: true });
  const waiting = Array.from({ length: 3 }, () => timeOf(port));
  await waitUntil('connections that wait', async () => (await report(control)).queued === 3);
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await program.announced('restarted');
  await free();
  process.kill(pid, 'SIGKILL');
  await program.announced('restart-reverted');
  const longest = Math.max(...(await Promise.all([...waiting, timeOf(port)])));
  t.ok(longest < SOON_MS, `all are served, after ${longest.toFixed()} ms at most`);
});

t.test('two servers with the same address :0 and no name have a limit each, also after a restart', async (t) => {
  const program = start(t, fixture('limited'), { args: [JSON.stringify({ limit: { maxConnections: 4 }, unnamed: true })] });
  const [, control] = await ports(program);
  await report(control, '/limit?n=7');
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.announced('closed');
  const { limits } = (await report(control)) as Report & { readonly limits: readonly (number | null)[] };
  t.strictSame(limits, [7, null], 'the limit of the first one is not one of the second');
});
