import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ConnectionLimit } from '../../../gracehttp/limit/connection-limit.js';
import { type HttpConnections } from '../../../gracehttp/http/http-connections.js';
import { nextTurn } from '../../../lib/deadline.js';
import { Connections } from '../../../lib/socket/connections.js';
import { type ServedServer } from '../../../gracehttp/served-server.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { HeldRequests } from '../../support/http/held-requests.js';
import { type Target, connect, get, listenTo } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';
import { listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

/** Sends requests, each on its own connection, and answers those that the server gets until all are answered. */
async function serveAll(t: Test, served: ServedServer, held: HeldRequests, target: Target, count: number, most: number): Promise<void> {
  held.most = 0;
  let answered = 0;
  const all = Promise.all(
    Array.from({ length: count }, async () => {
      const { body } = await get(target);
      t.equal(body, 'served');
      answered += 1;
    }),
  );
  await waitUntil('as many requests as places', () => held.open === Math.min(most, count));
  while (answered < count) {
    held.answer();
    await waitUntil('the next requests', () => held.open > 0 || answered === count);
  }
  await all;
  t.equal(held.most, most, `${most} at the same time`);
  await waitUntil('all connections to close', () => served.traffic.open === 0);
}

t.test('the limit holds for HTTP, HTTPS and unix sockets', async (t) => {
  const folder = scratch(t);
  const { keyFile, cert } = await makeCertificate(folder);
  const held = new HeldRequests();
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
    t.equal(served.limit(20), 20, 'raised');
    await serveAll(t, served, held, target, 40, 20);
    t.equal(served.limit(2), 2, 'lowered');
    await serveAll(t, served, held, target, 10, 2);
    t.match(served.traffic, { queued: 0, inFlight: 0, limit: 2 });
  }
});

t.test('the limit holds for a server of another protocol', async (t) => {
  let open = 0;
  let most = 0;
  const server = net.createServer((socket) => {
    open += 1;
    most = Math.max(most, open);
    socket.on('close', () => {
      open -= 1;
    });
    // Data that came while the connection waited is kept until the program listens for it.
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
  t.same(
    said.map(({ said }) => said),
    Array.from({ length: 20 }, (_, index) => `heard ${index}`),
  );
  t.equal(most, 3);
});

t.test('limit() changes the limit while running', async (t) => {
  const held = new HeldRequests();
  const app = await serveHere(t, {}, { server: http.createServer(held.handler), listen: '127.0.0.1:0' });
  const [served] = app.servers;
  const target = { port: portOf(app) };
  t.equal(served!.limit(), Infinity, 'without a limit');
  const first = [get(target, '/1'), get(target, '/2')];
  await waitUntil('two', () => held.open === 2);
  t.equal(served!.limit(3), 1, 'open connections count');
  const later = [];
  for (const path of ['/3', '/4', '/5', '/6']) {
    later.push(get(target, path));
    await waitUntil(path, () => served!.traffic.open === 2 + later.length);
  }
  await waitUntil('the third', () => held.open === 3);
  t.equal(served!.limit(), 0);
  t.equal(served!.limit(-1), 0, 'a negative number changes nothing');
  t.equal(served!.traffic.queued, 3);
  t.equal(served!.limit(5), 0, 'raised: waiting connections take the new places');
  await waitUntil('five', () => held.open === 5);
  t.same(held.arrived.slice(2), ['/3', '/4', '/5'], 'oldest first');
  t.equal(served!.limit(1), 0, 'lowered: no connection is cut off');
  held.answer(4);
  await Promise.all([...first, later[0], later[1]]);
  t.equal(held.open, 1, 'no new one is served');
  t.equal(served!.traffic.queued, 1);
  t.equal(served!.limit(Infinity), Infinity, 'removed');
  await waitUntil('the last', () => held.open === 2);
  held.answer();
  await Promise.all(later);
});

t.test('a limit that was removed does not wait for the report of a predecessor', async (t) => {
  const server = net.createServer();
  const limit = new ConnectionLimit(server, new Connections(server, () => undefined), { maxConnections: 1 });
  limit.limit(Infinity);
  limit.reserve(Infinity);
  t.equal(limit.free, Infinity);
  limit.limit(1);
  t.equal(limit.free, 0, 'a limit does');
});

t.test('a connection that comes from the predecessor takes one of the places that are kept for those', async (t) => {
  const server = net.createServer();
  const connections = new Connections(server, () => undefined);
  const limit = new ConnectionLimit(server, connections, { maxConnections: 3 });
  limit.reserve(2);
  t.equal(limit.free, 1);
  connections.onMoved();
  t.equal(limit.reserved, 1);
  for (let more = 0; more < 2; more += 1) connections.onMoved();
  t.equal(limit.reserved, 0, 'never less than none');
});

t.test('a connection that comes in the moment in which a place becomes free does not overtake those that wait', async (t) => {
  const held = new HeldRequests();
  const server = http.createServer(held.handler);
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 1 });
  const [served] = app.servers;
  const target = { port: portOf(app) };
  const answers = [get(target, '/1'), get(target, '/2')];
  await waitUntil('a connection that waits', () => held.open === 1 && served!.traffic.queued === 1);
  // The program's own connection comes right when the first one has ended, before a turn of the event loop.
  const other = net.createServer({ pauseOnConnect: true });
  await listening(t, other, { port: 0, host: '127.0.0.1' });
  const third = get({ port: portOf(other) }, '/3');
  const [late] = (await once(other, 'connection')) as [net.Socket];
  const { connectionLimit } = served!;
  const { onEnd } = connectionLimit;
  connectionLimit.onEnd = () => {
    connectionLimit.onEnd = onEnd;
    server.emit('connection', late);
  };
  held.answer();
  await waitUntil('the next one', () => held.open === 1 && held.arrived.length === 2);
  t.equal(held.arrived[1], '/2', 'who waited is next');
  t.equal(served!.traffic.queued, 1);
  held.answer();
  await waitUntil('the last one', () => held.arrived.length === 3);
  held.answer();
  await Promise.all([...answers, third]);
});

t.test('while connections move to the successor, a place that becomes free goes to nobody', async (t) => {
  const held = new HeldRequests();
  const app = await serveHere(t, {}, { server: http.createServer(held.handler), listen: '127.0.0.1:0', maxConnections: 1 });
  const [served] = app.servers;
  const connections = served!.service.connections as HttpConnections;
  const target = { port: portOf(app) };
  const answers = [get(target), get(target)];
  await waitUntil('a connection that waits', () => held.open === 1 && served!.traffic.queued === 1);
  connections.waitingMove = true;
  held.answer();
  await waitUntil('the end of the first', () => served!.traffic.open === 1);
  await nextTurn();
  t.match(served!.traffic, { queued: 1, inFlight: 0 }, 'not to one that waits');
  const [waiting] = connections.waiting.keys();
  waiting!.destroy();
  await t.rejects(answers[1]!);
  await waitUntil('its end', () => served!.traffic.open === 0);
  answers[1] = get(target);
  await waitUntil('a newcomer', () => served!.traffic.open === 1);
  t.match(served!.traffic, { queued: 1, inFlight: 0 }, 'not to a newcomer');
  connections.waitingMove = false;
  connections.onEnd();
  await waitUntil('the newcomer to be served', () => held.open === 1);
  held.answer();
  for (const answer of answers) t.equal((await answer).body, 'served');
});

t.test('a connection that the program has begun to read loses nothing while it waits', async (t) => {
  const held = new HeldRequests();
  const server = http.createServer(held.handler);
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 1 });
  const first = get({ port: portOf(app) }, '/first');
  await waitUntil('the first', () => held.open === 1);
  // It looks at the first bytes, as programs with several protocols at one port do.
  const other = net.createServer((socket) => {
    socket.once('data', (head) => {
      socket.unshift(head);
      server.emit('connection', socket);
    });
  });
  await listening(t, other, { port: 0, host: '127.0.0.1' });
  const second = get({ port: portOf(other) }, '/second');
  await waitUntil('the second to wait', () => app.servers[0]!.traffic.queued === 1);
  held.answer();
  await waitUntil('the second', () => held.arrived.length === 2);
  held.answer();
  t.equal((await first).body, 'served');
  t.equal((await second).body, 'served');
  t.strictSame(held.arrived, ['/first', '/second']);
});

t.test('the limit holds for a tls.Server of another protocol, and waiting connections are read', async (t) => {
  const { keyFile, cert } = await makeCertificate(scratch(t));
  const server = tls.createServer({ key: readFileSync(keyFile), cert }, (socket) => {
    socket.on('error', () => undefined).on('data', (data) => socket.end(`heard ${data}`));
  });
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 1 });
  const said = await Promise.all(
    Array.from({ length: 8 }, (_, index) => {
      const socket = connect({ port: portOf(app), ca: cert });
      socket.write(`${index}`);
      return listenTo(socket);
    }),
  );
  t.same(
    said.map(({ said }) => said),
    Array.from({ length: 8 }, (_, index) => `heard ${index}`),
  );
});

t.test('a connection at the limit costs the same, however many others there are', async (t) => {
  const server = http.createServer((_, response) => response.end('served'));
  const app = await serveHere(t, {}, { server, listen: '127.0.0.1:0', maxConnections: 20 });
  const [served] = app.servers;
  const connections = served!.service.connections as HttpConnections;
  let walks = 0;
  for (const walk of ['each', 'served'] as const) {
    const original = connections[walk];
    Object.assign(connections, { [walk]: () => (walks += 1) && Reflect.apply(original, connections, []) });
  }
  const open = async (): Promise<net.Socket> => {
    const socket = connect({ port: portOf(app) });
    t.teardown(() => socket.destroy());
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'data');
    return socket;
  };
  const idle = await Promise.all(Array.from({ length: 20 }, open));
  t.equal(served!.limit(), 0, 'full');
  // Each newcomer waits until one of the others has closed, and then nobody waits.
  const begin = performance.now();
  for (let newcomer = 0; newcomer < 100; newcomer += 1) {
    const answered = open();
    await waitUntil('it to wait', () => served!.connectionLimit.queued === 1);
    idle.shift()!.destroy();
    idle.push(await answered);
  }
  const ticks = (performance.now() - begin) / 50;
  t.ok(walks <= ticks + 2, `${walks} walks over all connections for 100 newcomers in ${ticks.toFixed()} intervals of the watcher`);
  t.ok(walks < 150);
});
