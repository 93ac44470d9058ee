import http from 'node:http';
import https from 'node:https';
import net, { type Socket } from 'node:net';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ConnectionQueue } from '../../../gracehttp/limit/connection-queue.js';
import { type App } from '../../../gracehttp/app.js';
import { Connections } from '../../../lib/socket/connections.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { HeldRequests } from '../../support/http/held-requests.js';
import { connect, get, listenTo, send } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

t.test('a drain serves waiting connections', async (t) => {
  const held = new HeldRequests();
  const server = http.createServer(held.handler);
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 2 });
  const answers = Array.from({ length: 12 }, () => get({ port: portOf(app) }));
  await waitUntil('a queue', () => held.open === 2 && app.servers[0]!.traffic.queued === 10);
  const stopped = app.stop();
  await waitUntil('the port to close', () => !server.listening);
  while (app.state === 'draining') {
    held.answer();
    await waitUntil('the next request', () => held.open > 0 || app.state === 'closed');
  }
  await stopped;
  t.equal(held.most, 2);
  const all = await Promise.all(answers);
  t.equal(all.filter(({ body, headers }) => body === 'served' && headers.connection === 'close').length, 12, 'all are served, and closed');
});

for (const protocol of ['HTTP', 'HTTPS'] as const) {
  t.test(`a final stop also serves connections in the kernel's queue, by ${protocol}`, async (t) => {
    const { key, cert } = await makeCertificate(scratch(t));
    let open = 0;
    let most = 0;
    const handler = (_: http.IncomingMessage, response: http.ServerResponse): void => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => {
        open -= 1;
        response.end('served');
      }, 5);
    };
    const server = protocol === 'HTTP' ? http.createServer(handler) : https.createServer({ key, cert }, handler);
    const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 3 });
    const target = { port: portOf(app), ...(protocol === 'HTTP' ? {} : { ca: cert }) };
    const before = Array.from({ length: 10 }, () => get(target));
    await waitUntil('a queue', () => app.servers[0]!.traffic.queued > 0);
    // Each has sent its request, or its first bytes of TLS, when the stop begins.
    const sockets = Array.from({ length: 60 }, () => connect(target));
    const ends = sockets.map(listenTo);
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await Promise.all(sockets.map((socket) => socket.connecting && once(socket, 'connect')));
    const stopped = app.stop();
    t.equal(
      (await Promise.all(before)).filter(({ body }) => body === 'served').length,
      10,
      'those that waited in the process are answered',
    );
    t.equal((await Promise.all(ends)).filter(({ said }) => said.endsWith('served')).length, 60, 'so are those in the kernel');
    await stopped;
    t.match(await app.wait(), { code: 0 });
    // Handshakes may take longer than requests, so that fewer of these are open at a time.
    t.ok(most <= 3, `${most} at a time`);
  });
}

t.test('the drain deadline closes waiting connections, and counts them', async (t) => {
  const held = new HeldRequests();
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

t.test('a client that leaves while it waits does not take a place', async (t) => {
  const held = new HeldRequests();
  const app: App = await serveHere(t, {}, { server: http.createServer(held.handler), listen: '127.0.0.1:0', maxConnections: 1 });
  const target = { port: portOf(app) };
  const first = get(target, '/first');
  await waitUntil('the first', () => held.open === 1);
  const left = connect(target);
  await once(left, 'connect');
  await waitUntil('one waiting', () => app.servers[0]!.traffic.queued === 1);
  left.resetAndDestroy();
  const last = get(target, '/last');
  await waitUntil('two waiting', () => app.servers[0]!.traffic.queued === 2);
  held.answer();
  await waitUntil('the last', () => held.open === 1);
  held.answer();
  await Promise.all([first, last]);
  t.same(held.arrived, ['/first', '/last']);
});

t.test('requests of clients that left while they waited are not run', async (t) => {
  const held = new HeldRequests();
  const app = await serveHere(t, {}, { server: http.createServer(held.handler), listen: '127.0.0.1:0', maxConnections: 1 });
  const [served] = app.servers;
  const target = { port: portOf(app) };
  const first = get(target, '/first');
  await waitUntil('the first', () => held.open === 1);
  for (const leave of ['destroySoon', 'resetAndDestroy'] as const) {
    const left = connect(target);
    await once(left, 'connect');
    left.write('GET /left HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await waitUntil('it to wait', () => served!.traffic.queued === (leave === 'destroySoon' ? 1 : 2));
    left[leave]();
  }
  const upload = send(target, { method: 'POST', path: '/upload' }, 'x'.repeat(300_000));
  await waitUntil('three waiting', () => served!.traffic.queued === 3);
  held.answer();
  await waitUntil('the upload', () => held.open === 1);
  held.answer();
  t.equal((await upload).body, 'served');
  await first;
  t.same(held.arrived, ['/first', '/upload']);
  await waitUntil('free places', () => served!.limit() === 1);
  t.match(served!.traffic, { queued: 0, open: 0 });
});

t.test('a connection waits for the queue timeout at most, and then gets 503, or a reset', async (t) => {
  const { key, cert } = await makeCertificate(scratch(t));
  const held = new HeldRequests();
  const common = { listen: '127.0.0.1:0', maxConnections: 1, queueTimeout: 300 };
  const app = await serveHere(
    t,
    {},
    { ...common, server: http.createServer(held.handler) },
    { ...common, server: https.createServer({ key, cert }, held.handler) },
  );
  for (const [index, target] of [{ port: portOf(app, 0) }, { port: portOf(app, 1), ca: cert }].entries()) {
    const first = get(target);
    await waitUntil('the first', () => held.open === 1);
    const begin = performance.now();
    if (index === 0) {
      const waited = get(target);
      t.match(await waited, { status: 503, headers: { 'retry-after': '1', connection: 'close' } });
    } else {
      await t.rejects(get(target), { code: 'ECONNRESET' });
    }
    const took = performance.now() - begin;
    t.ok(took >= 299 && took < 3_000, `after ${took.toFixed()} ms`);
    t.match(app.servers[index]!.traffic, { refused: 1, queued: 0 });
    held.answer();
    t.equal((await first).body, 'served', 'a request that has a place may take longer');
    t.equal(held.arrived.length, index + 1, 'the one that waited is not run');
  }
});

t.test('each connection has a queue timeout of its own, also if no other one comes', async (t) => {
  const held = new HeldRequests();
  const server = http.createServer(held.handler);
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 1, queueTimeout: 1_000 });
  const target = { port: portOf(app) };
  const first = get(target);
  await waitUntil('the first', () => held.open === 1);
  const second = get(target);
  await waitUntil('the second to wait', () => app.servers[0]!.traffic.queued === 1);
  await sleep(100);
  const third = get(target);
  await waitUntil('the third to wait', () => app.servers[0]!.traffic.queued === 2);
  t.equal((await second).status, 503);
  t.equal((await third).status, 503);
  held.answer();
  t.equal((await first).body, 'served');
});

t.test('limit() while a final stop empties the queue loses no connection', async (t) => {
  for (const limit of [3, 1]) {
    const server = http.createServer((_, response) => response.end('served'));
    const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0' });
    const sockets = Array.from({ length: 40 }, () => connect({ port: portOf(app) }));
    for (const socket of sockets) socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const ends = sockets.map(listenTo);
    await once(sockets[0]!, 'connect');
    const stopped = app.stop();
    // The drain has begun, the server still accepts, and what it accepts is held back.
    t.ok(server.listening);
    app.servers[0]!.limit(limit);
    const answers = await Promise.all(ends);
    t.equal(answers.filter(({ said }) => said.endsWith('served')).length, 40, `limit(${limit})`);
    await stopped;
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('a connection that has waited in the old process is older than those of this one', async (t) => {
  const server = await listening(t, net.createServer({ pauseOnConnect: true }), { port: 0, host: '127.0.0.1' });
  const refused: Socket[] = [];
  let places = 0;
  const delivered: Socket[] = [];
  const connections = new Connections(server, () => undefined);
  const handler = {
    hasRoom: () => delivered.length < places,
    deliver: (socket: Socket) => delivered.push(socket),
    expire: (socket: Socket) => refused.push(socket),
    onChange: () => undefined,
  };
  const queue = new ConnectionQueue(connections, { timeout: 60_000, dropsLeft: false }, handler);
  const { accepted: newest } = await connected(t, server);
  const { accepted: moved } = await connected(t, server);
  const { accepted: older } = await connected(t, server);
  const { accepted: oldest } = await connected(t, server);
  queue.add(newest);
  queue.add(moved, 1_000);
  queue.add(older, 59_700);
  queue.add(oldest, 59_900);
  await waitUntil('the time of two to end', () => refused.length === 2);
  t.ok(refused[0] === oldest && refused[1] === older);
  places = 1;
  queue.deliver();
  t.ok(delivered.length === 1 && delivered[0] === moved);
  newest.destroy();
});

t.test('a client that resets its connection while it waits does no harm, even if the connection is read', async (t) => {
  const held = new HeldRequests();
  const server = http.createServer(held.handler);
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 1 });
  const first = get({ port: portOf(app) });
  await waitUntil('the first', () => held.open === 1);
  const other = net.createServer().listen(0, '127.0.0.1');
  t.teardown(() => other.close());
  await once(other, 'listening');
  // A connection that the program emits itself is read when it comes.
  const { accepted: read, client } = await connected(t, other);
  server.emit('connection', read);
  t.equal(app.servers[0]!.traffic.queued, 1);
  client.resetAndDestroy();
  await waitUntil('its end', () => app.servers[0]!.traffic.queued === 0);
  held.answer();
  t.equal((await first).body, 'served');
});
