import http, { type ServerResponse } from 'node:http';
import net from 'node:net';
import t from 'tap';
import { HttpConnections } from '../../../gracehttp/http/http-connections.js';
import { HttpService, keptIdle } from '../../../gracehttp/http/http-service.js';
import { serveOn } from '../../support/app.js';
import { GET, connectionHeaders, drain, held } from '../../support/http/held-server.js';
import { rawClient } from '../../support/http/raw-client.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

const TIMES = { idleTimeout: 5_000, drainTimeout: 30_000, drainDelay: 0 };
/** Milliseconds. */
const LATER_MS = 200;
const UPLOAD_BYTES = 1024 * 1024;

t.test('a response in flight is finished, with Connection: close', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  client.send(GET());
  await server.received(1);
  await drain(app);
  t.equal(app.state, 'draining');
  server.response(0).end('whole');
  await client.untilEnded();
  t.match(client.answers, [{ status: 200, body: 'whole', headers: { connection: 'close' } }]);
  t.equal(client.ended, 'end');
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('a response whose head is written keeps its connection for one more request', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  client.send(GET());
  await server.received(1);
  server.response(0).writeHead(200, { 'Content-Length': 5 });
  server.response(0).write('wh');
  await waitUntil('the head', () => client.received.endsWith('wh'));
  await drain(app);
  server.response(0).end('ole');
  await client.answered(1);
  client.send(GET());
  await server.received(2);
  server.response(1).end('last');
  await client.untilEnded();
  t.strictSame(
    client.answers.map(({ body }) => body),
    ['whole', 'last'],
  );
  t.strictSame(connectionHeaders(client), ['keep-alive', 'close']);
  t.match(await app.wait(), { code: 0 });
});

t.test('an idle connection may send one more request', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  client.send(GET());
  await server.received(1);
  server.response(0).end('first');
  await client.answered(1);
  await drain(app);
  t.equal(client.ended, undefined, 'stays open');
  client.send(GET());
  await server.received(2);
  server.response(1).end('last');
  await client.untilEnded();
  t.strictSame(connectionHeaders(client), ['keep-alive', 'close']);
  t.match(await app.wait(), { code: 0 });
});

t.test('a new connection may send one request', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  await drain(app);
  client.send(GET());
  await server.received(1);
  server.response(0).end('x');
  await client.untilEnded();
  t.strictSame(connectionHeaders(client), ['close']);
});

t.test('connections without a whole request are closed after the idle timeout, and not counted', async (t) => {
  const { held: server, app, client, port } = await held(t, { idleTimeout: 50 });
  client.send(GET());
  await server.received(1);
  server.response(0).end('x');
  await client.answered(1);
  const silent = await rawClient(t, port);
  const halfSpoken = await rawClient(t, port);
  halfSpoken.send('GET / HTTP/1.1\r\nHo');
  await app.stop();
  t.match(await app.wait(), { code: 0, cutOff: [] });
  for (const each of [client, silent, halfSpoken]) t.match(await each.untilEnded(), /end|close|ECONNRESET/);
});

t.test('a program that sets Connection: keep-alive does not hold the drain', async (t) => {
  const writes: readonly ((response: ServerResponse) => unknown)[] = [
    (response) => response.writeHead(200, { Connection: 'keep-alive' }).end('x'),
    (response) => response.setHeader('Connection', 'keep-alive').end('x'),
  ];
  for (const write of writes) {
    const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
    client.send(GET());
    await server.received(1);
    await drain(app);
    write(server.response(0));
    await client.untilEnded();
    t.strictSame(connectionHeaders(client), ['close']);
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('HTTP/1.0 requests are drained', async (t) => {
  for (const line of ['', 'Connection: keep-alive\r\n']) {
    const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
    client.send(`GET / HTTP/1.0\r\n${line}\r\n`);
    await server.received(1);
    await drain(app);
    server.response(0).end('x');
    t.equal(await client.untilEnded(), 'end');
    t.match(client.answers, [{ status: 200, body: 'x', headers: { connection: 'close' } }], line.trim());
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('an upload in flight is read to its end', async (t) => {
  const { app, port } = await serveOn(
    t,
    http.createServer((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => response.end(`${bytes} bytes`));
    }),
    { idleTimeout: 50 },
  );
  const client = await rawClient(t, port);
  client.send(`POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${UPLOAD_BYTES}\r\n\r\n`);
  client.send('x'.repeat(UPLOAD_BYTES / 2));
  await drain(app);
  // Longer than the idle timeout: a paused upload is not idle.
  await new Promise((done) => setTimeout(done, 150));
  client.send('x'.repeat(UPLOAD_BYTES / 2));
  await client.untilEnded();
  t.match(client.answers, [{ body: `${UPLOAD_BYTES} bytes`, headers: { connection: 'close' } }]);
});

t.test('the deadline cuts off requests in flight, and counts them', async (t) => {
  const reports: string[] = [];
  const {
    held: server,
    app,
    client,
    port,
  } = await held(t, { drainTimeout: 100, idleTimeout: 50, log: (message) => reports.push(message) });
  const second = await rawClient(t, port);
  const idle = await rawClient(t, port);
  client.send(GET());
  second.send(GET());
  await server.received(2);
  await app.stop();
  t.match(await app.wait(), { code: 1, cutOff: [{ address: app.addresses[0], count: 2 }] });
  t.match(reports, ['draining 2 requests, up to 100 ms', /: 2 requests cut off after 100 ms of draining$/]);
  for (const each of [client, second, idle]) await each.untilEnded();
});

t.test('idle connections are not counted at the deadline', async (t) => {
  const { held: server, app, client } = await held(t, { drainTimeout: 50, idleTimeout: 10_000 });
  client.send(GET());
  await server.received(1);
  server.response(0).end('x');
  await client.answered(1);
  await app.stop();
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('an upgraded connection stays until a peer closes it, or until the deadline', async (t) => {
  for (const polite of [true, false]) {
    const server = http.createServer();
    let upgraded: net.Socket | undefined;
    server.on('upgrade', (_, socket: net.Socket) => {
      upgraded = socket;
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket
        .on('data', (data) => socket.write(data))
        .on('end', () => socket.end())
        .on('error', () => undefined);
    });
    const { app, port } = await serveOn(t, server, { drainTimeout: polite ? 10_000 : 300, idleTimeout: 20 });
    const client = await rawClient(t, port);
    client.send('GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
    await client.answered(1);
    await drain(app);
    await new Promise((done) => setTimeout(done, 100));
    client.send('still here');
    await waitUntil('the echo', () => client.received.endsWith('still here'));
    if (polite) upgraded!.end();
    t.match(await app.wait(), polite ? { code: 0, cutOff: [] } : { code: 1, cutOff: [{ count: 1 }] }, polite ? 'ended' : 'cut off');
    await client.untilEnded();
  }
});

t.test('a server that does not speak HTTP waits for its connections to close', async (t) => {
  const server = net.createServer((socket) => socket.pipe(socket).on('error', () => undefined));
  const { app, port } = await serveOn(t, server);
  const client = await rawClient(t, port);
  client.send('a');
  await waitUntil('the echo', () => client.received === 'a');
  await drain(app);
  client.send('b');
  await waitUntil('the echo', () => client.received === 'ab');
  t.equal(app.state, 'draining');
  client.destroy();
  t.match(await app.wait(), { code: 0 });
});

t.test('the idle time of a drain is at least the keep-alive time and a second, within the drain timeout', async (t) => {
  const table: [keepAliveTimeout: number, times: Partial<typeof TIMES>, kept: number][] = [
    [5_000, {}, 6_000],
    [65_000, {}, 29_000],
    [65_000, { drainTimeout: 120_000 }, 66_000],
    [65_000, { drainDelay: 10_000 }, 19_000],
    [1_000, {}, 5_000],
    [0, {}, 5_000],
    [0, { idleTimeout: 0 }, 0],
    [5_000, { idleTimeout: 0 }, 6_000],
    [5_000, { drainTimeout: 500, idleTimeout: 100 }, 100],
  ];
  for (const [keepAliveTimeout, times, kept] of table) {
    const server = http.createServer({ keepAliveTimeout });
    t.equal(keptIdle(server, { ...TIMES, ...times }), kept, JSON.stringify({ keepAliveTimeout, ...times }));
  }
  t.equal(keptIdle(net.createServer(), TIMES), 5_000, 'a server without a keep-alive time');
});

t.test('a drain keeps a connection as long as its last response has promised', async (t) => {
  const server = http.createServer({ keepAliveTimeout: 3_000 }, (_, response) => response.end('x'));
  const { app, port } = await serveOn(t, server, { idleTimeout: 100 });
  const [kept, silent] = [await rawClient(t, port), await rawClient(t, port)];
  kept.send(GET());
  t.match(await kept.answered(1), [{ headers: { 'keep-alive': 'timeout=3' } }]);
  const begin = performance.now();
  await drain(app);
  await silent.untilEnded();
  t.ok(performance.now() - begin < 1_500, 'a silent connection is closed after the idle timeout');
  // Most of the promised time, counted from its response.
  await new Promise((done) => setTimeout(done, 1_500 - (performance.now() - begin)));
  t.equal(kept.ended, undefined);
  kept.send(GET());
  await kept.untilEnded();
  t.strictSame(connectionHeaders(kept), ['keep-alive', 'close']);
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('the end of connections of a drain that was taken back does not end a later drain', async (t) => {
  const server = http.createServer((request, response) => response.end(request.url));
  await listening(t, server, { port: 0, host: '127.0.0.1' });
  const service = new HttpService(server, new HttpConnections(server), { ...TIMES, idleTimeout: LATER_MS });
  t.teardown(() => service.cutOff());
  const { client: first } = await connected(t, server);
  await waitUntil('the connection', () => service.connections.size === 1);
  service.begin();
  const finished = service.finished();
  service.resume();
  service.begin(undefined, undefined, LATER_MS);
  first.destroy();
  await finished;
  const { client: second } = await connected(t, server);
  let closed = false;
  second.on('close', () => {
    closed = true;
  });
  await waitUntil('the second drain to close an idle connection', () => closed);
});
