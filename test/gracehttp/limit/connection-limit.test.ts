import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ServedServer } from '../../../gracehttp/served-server.js';
import { type App } from '../../../gracehttp/app.js';
import { type ServerEntry } from '../../../gracehttp/server-entry.js';
import { portOf, serveHere } from '../../support/app.js';
import { makeCertificate, scratch } from '../../support/certificate.js';
import { type Target, connect, get, listenTo } from '../../support/clients.js';
import { waitUntil } from '../../support/wait.js';

/** Requests that are answered when the test says so. */
class Held {
  readonly arrived: string[] = [];
  most = 0;
  readonly #open: http.ServerResponse[] = [];

  readonly handler = (request: http.IncomingMessage, response: http.ServerResponse): void => {
    this.arrived.push(request.url!);
    this.#open.push(response);
    this.most = Math.max(this.most, this.#open.length);
  };

  get open(): number {
    return this.#open.length;
  }

  answer(count = this.#open.length): void {
    for (const response of this.#open.splice(0, count)) response.end('served');
  }
}

/** Sends requests, a connection each; answers what the server lets come until all are answered. */
async function serveAll(
  t: Test,
  served: ServedServer,
  held: Held,
  target: Target,
  count: number,
  most: number,
): Promise<void> {
  held.most = 0;
  let answered = 0;
  const all = Promise.all(
    Array.from({ length: count }, async () => {
      const { body } = await get(target);
      t.equal(body, 'served');
      answered += 1;
    }),
  );
  await waitUntil('a full house', () => held.open === Math.min(most, count));
  while (answered < count) {
    held.answer();
    await waitUntil('the next ones', () => held.open > 0 || answered === count);
  }
  await all;
  t.equal(held.most, most, `${most} at a time`);
  await waitUntil('the end of all connections', () => served.traffic.open === 0);
}

t.test('the limit holds on every transport', async (t) => {
  const folder = scratch(t);
  const { keyFile, cert } = makeCertificate(folder);
  const held = new Held();
  const [key, socketPath] = [readFileSync(keyFile), join(folder, 'app.sock')];
  const limit = { maxConnections: 5 };
  const app = await serveHere(
    t,
    {},
    { server: http.createServer(held.handler), listen: '127.0.0.1:0', ...limit },
    { server: https.createServer({ key, cert }, held.handler), listen: '127.0.0.1:0', ...limit },
    { server: http.createServer(held.handler), listen: `unix:${socketPath}`, ...limit },
  );
  const targets: Target[] = [{ port: portOf(app) }, { port: portOf(app, 1), ca: cert }, { socketPath }];
  for (const [index, target] of targets.entries()) {
    const served = app.servers[index]!;
    await serveAll(t, served, held, target, 40, 5);
    t.equal(served.limit(20), 20, 'raised, all free');
    await serveAll(t, served, held, target, 40, 20);
    t.equal(served.limit(2), 2, 'lowered');
    await serveAll(t, served, held, target, 10, 2);
    t.match(served.traffic, { queued: 0, inFlight: 0, limit: 2 });
  }
});

t.test('a server of another protocol has its limit as well', async (t) => {
  let open = 0;
  let most = 0;
  const server = net.createServer((socket) => {
    open += 1;
    most = Math.max(most, open);
    socket.on('close', () => {
      open -= 1;
    });
    // What came while the connection waited is there; a listener that comes late gets it, too.
    setImmediate(() => socket.on('data', (data) => socket.end(`heard ${data}`)));
  });
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 3 });
  const said = await Promise.all(
    Array.from({ length: 20 }, (_, index) => {
      const socket = connect({ port: portOf(app) });
      socket.write(`${index}`);
      return listenTo(socket);
    }),
  );
  t.same(said.map(({ said }) => said), Array.from({ length: 20 }, (_, index) => `heard ${index}`));
  t.equal(most, 3);
});

t.test('a limit that is set while running', async (t) => {
  const held = new Held();
  const app = await serveHere(t, {}, { server: http.createServer(held.handler), listen: '127.0.0.1:0' });
  const [served] = app.servers;
  const target = { port: portOf(app) };
  t.equal(served!.limit(), Infinity, 'no limit, no end of places');
  const first = [get(target, '/1'), get(target, '/2')];
  await waitUntil('two', () => held.open === 2);
  t.equal(served!.limit(3), 1, 'connections from before count');
  const later = [];
  for (const path of ['/3', '/4', '/5', '/6']) {
    later.push(get(target, path));
    await waitUntil(path, () => served!.traffic.open === 2 + later.length);
  }
  await waitUntil('the third', () => held.open === 3);
  t.equal(served!.limit(), 0);
  t.equal(served!.limit(-1), 0, 'a negative number only asks');
  t.equal(served!.traffic.queued, 3);
  t.equal(served!.limit(5), 0, 'raised: those that wait take the new places');
  await waitUntil('five', () => held.open === 5);
  t.same(held.arrived.slice(2), ['/3', '/4', '/5'], 'the oldest first');
  t.equal(served!.limit(1), 0, 'lowered: nobody is cut off');
  held.answer(4);
  await Promise.all([...first, later[0], later[1]]);
  t.equal(held.open, 1, 'and nobody new comes');
  t.equal(served!.traffic.queued, 1);
  t.equal(served!.limit(Infinity), Infinity, 'lifted');
  await waitUntil('the last', () => held.open === 2);
  held.answer();
  await Promise.all(later);
});

t.test('limits that are none', async (t) => {
  const app = await serveHere(t, {}, { server: http.createServer(), listen: '127.0.0.1:0' });
  for (const value of [1.5, NaN, -0.5, '7' as unknown as number]) {
    t.throws(() => app.servers[0]!.limit(value), { name: 'GraceError', code: 'OPTION_INVALID', subject: 'limit', value });
  }
  await app.stop();
  const tables: [Partial<ServerEntry>, string][] = [
    [{ maxConnections: -1 }, 'maxConnections'],
    [{ maxConnections: 0 }, 'maxConnections'],
    [{ maxConnections: 2.5 }, 'maxConnections'],
    [{ maxConnections: NaN }, 'maxConnections'],
    [{ maxQueued: -1 }, 'maxQueued'],
    [{ maxQueued: 0.1 }, 'maxQueued'],
    [{ overflow: '504' as 'reset' }, 'overflow'],
    [{ overflow: '503', server: net.createServer() }, 'overflow'],
  ];
  for (const [entry, subject] of tables) {
    const served = serveHere(t, {}, { server: http.createServer(), listen: '127.0.0.1:0', ...entry });
    await t.rejects(served, { name: 'GraceError', code: 'OPTION_INVALID', subject });
  }
});

t.test('what finds no room in the queue', async (t) => {
  const folder = scratch(t);
  const { keyFile, cert } = makeCertificate(folder);
  const [key, socketPath] = [readFileSync(keyFile), join(folder, 'app.sock')];
  const held = new Held();
  const make = (): http.Server => http.createServer(held.handler);
  const common = { listen: '127.0.0.1:0', maxConnections: 1, maxQueued: 2 } as const;
  const app = await serveHere(
    t,
    {},
    { ...common, server: make() },
    { ...common, server: make(), overflow: '503' },
    { ...common, server: https.createServer({ key, cert }, held.handler), overflow: '503' },
    { ...common, server: make(), listen: `unix:${socketPath}` },
  );
  const cases: [Target, (answer: Promise<unknown>) => Promise<unknown>][] = [
    [{ port: portOf(app, 0) }, (answer) => t.rejects(answer, { code: 'ECONNRESET' })],
    [
      { port: portOf(app, 1) },
      async (answer) =>
        t.match(await answer, { status: 503, headers: { 'retry-after': '1', connection: 'close' }, body: /no room/ }),
    ],
    [{ port: portOf(app, 2), ca: cert }, (answer) => t.rejects(answer, { code: 'ECONNRESET' })],
    [{ socketPath }, (answer) => t.rejects(answer, { code: /ECONNRESET|EPIPE/ })],
  ];
  for (const [index, [target, check]] of cases.entries()) {
    const served = app.servers[index]!;
    const kept = Array.from({ length: 3 }, () => get(target));
    await waitUntil('a full queue', () => held.open === 1 && served.traffic.queued === 2);
    await check(get(target));
    await check(get(target, '/', { method: 'POST', headers: { 'content-length': '5' } }));
    t.match(served.traffic, { queued: 2, refused: 2, inFlight: 1 });
    let done = false;
    const answers = Promise.all(kept).finally(() => {
      done = true;
    });
    while (!done) {
      held.answer();
      await waitUntil('the next', () => held.open > 0 || done);
    }
    t.same((await answers).map(({ body }) => body), ['served', 'served', 'served'], 'the others are served');
  }
});

t.test('pools of keep-alive connections make room', async (t) => {
  const app = await serveHere(
    t,
    {},
    {
      server: http.createServer((_, response) => response.end('served')),
      listen: '127.0.0.1:0',
      maxConnections: 2,
    },
  );
  const target = { port: portOf(app) };
  const agent = (): http.Agent => new http.Agent({ keepAlive: true, maxSockets: 1 });
  const busy = [agent(), agent()];
  t.teardown(() => busy.forEach((each) => each.destroy()));
  for (const each of busy) await get(target, '/', { agent: each });
  t.match(app.servers[0]!.traffic, { open: 2, idle: 2 });

  t.equal((await get(target)).body, 'served', 'first when idle');

  let stop = false;
  const pools = busy.map(async (each) => {
    let closed = 0;
    while (!stop) {
      const { headers } = await get(target, '/', { agent: each });
      if (headers.connection === 'close') closed += 1;
    }
    return closed;
  });
  const others = await Promise.all(Array.from({ length: 50 }, () => get(target)));
  t.equal(others.length, 50, 'served beside two pools that never pause');
  stop = true;
  const closed = await Promise.all(pools);
  t.ok(closed.every((count) => count > 0), `which left after their answers, ${closed.join(' and ')} times`);
});

t.test('a drain serves what waits', async (t) => {
  const held = new Held();
  const server = http.createServer(held.handler);
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 2 });
  const answers = Array.from({ length: 12 }, () => get({ port: portOf(app) }));
  await waitUntil('a queue', () => held.open === 2 && app.servers[0]!.traffic.queued === 10);
  const stopped = app.stop();
  await waitUntil('a closed port', () => !server.listening);
  while (app.state === 'draining') {
    held.answer();
    await waitUntil('the next', () => held.open > 0 || app.state === 'closed');
  }
  await stopped;
  t.equal(held.most, 2);
  for (const { body, headers } of await Promise.all(answers)) {
    t.equal(body, 'served');
    t.equal(headers.connection, 'close');
  }
});

t.test('a final stop serves what waits in the queue of the kernel, too', async (t) => {
  const folder = scratch(t);
  const { keyFile, cert } = makeCertificate(folder);
  const tls = { key: readFileSync(keyFile), cert };
  const makers = [
    (handler: http.RequestListener) => http.createServer(handler),
    (handler: http.RequestListener) => https.createServer(tls, handler),
  ];
  for (const [index, make] of makers.entries()) {
    let open = 0;
    let most = 0;
    const server = make((_, response) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end('served');
      }, 5);
    });
    const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 3 });
    const target = { port: portOf(app), ...(index === 1 ? { ca: cert } : {}) };
    const before = Array.from({ length: 10 }, () => get(target));
    await waitUntil('a queue', () => app.servers[0]!.traffic.queued > 0);
    const sockets = Array.from({ length: 60 }, () => connect({ port: target.port }));
    // The kernel takes these now; the server has not heard of them.
    for (const socket of sockets) socket.write(index === 0 ? 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n' : '');
    const ends = sockets.map(listenTo);
    await Promise.all(sockets.map((socket) => socket.connecting && once(socket, 'connect')));
    const stopped = app.stop();
    if (index === 1) sockets.forEach((socket) => socket.destroy());
    t.equal((await Promise.all(before)).filter(({ body }) => body === 'served').length, 10);
    const answers = await Promise.all(ends);
    if (index === 0) t.equal(answers.filter(({ said }) => said.endsWith('served')).length, 60, 'all are answered');
    await stopped;
    t.match(await app.wait(), { code: 0 });
    t.equal(most, 3);
  }
});

t.test('the deadline of a drain ends what waits, and counts it', async (t) => {
  const held = new Held();
  const app = await serveHere(
    t,
    { drainTimeout: 100 },
    { server: http.createServer(held.handler), listen: '127.0.0.1:0', maxConnections: 1 },
  );
  const answers = Array.from({ length: 3 }, () => get({ port: portOf(app) }));
  await waitUntil('a queue', () => held.open === 1 && app.servers[0]!.traffic.queued === 2);
  const rejected = Promise.all(answers.map((answer) => t.rejects(answer)));
  void app.stop();
  t.match(await app.wait(), { code: 1, cutOff: [{ count: 3 }] });
  await rejected;
});

t.test('a client that left while it waited', async (t) => {
  const held = new Held();
  const app: App = await serveHere(
    t,
    {},
    { server: http.createServer(held.handler), listen: '127.0.0.1:0', maxConnections: 1 },
  );
  const target = { port: portOf(app) };
  const first = get(target, '/first');
  await waitUntil('the first', () => held.open === 1);
  const left = connect(target);
  await once(left, 'connect');
  await waitUntil('one that waits', () => app.servers[0]!.traffic.queued === 1);
  left.resetAndDestroy();
  const last = get(target, '/last');
  await waitUntil('two that wait', () => app.servers[0]!.traffic.queued === 2);
  held.answer();
  await waitUntil('the last', () => held.open === 1);
  held.answer();
  await Promise.all([first, last]);
  t.same(held.arrived, ['/first', '/last']);
});
