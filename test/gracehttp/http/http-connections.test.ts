import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { Duplex } from 'node:stream';
import t, { type Test } from 'tap';
import tls from 'node:tls';
import { type HttpConnections } from '../../../gracehttp/http/http-connections.js';
import { serveOn } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { GET, connectionHeaders, drain, held } from '../../support/http/held-server.js';
import { type RawClient, rawClient } from '../../support/http/raw-client.js';
import { scratch } from '../../support/scratch.js';
import { connected, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

t.test('pipelined requests are all answered, and only the last response closes', async (t) => {
  for (const when of ['while', 'across'] as const) {
    const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
    if (when === 'across') client.send(GET('/a') + GET('/b'));
    await server.received({ across: 2, while: 0 }[when]);
    await drain(app);
    if (when === 'while') client.send(GET('/a') + GET('/b') + GET('/c'));
    if (when === 'across') client.send(GET('/c'));
    await server.received(3);
    for (const index of [2, 0, 1]) server.response(index).end(server.pending[index]!.request.url);
    await client.untilEnded();
    t.strictSame(
      client.answers.map(({ body }) => body),
      ['/a', '/b', '/c'],
      `sent ${when} the drain`,
    );
    t.strictSame(connectionHeaders(client), ['keep-alive', 'keep-alive', 'close'], 'Connection headers');
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('pipelined requests that came before the drain: the last response closes, if it begins when it is its turn', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  client.send(GET('/a') + GET('/b') + GET('/c'));
  await server.received(3);
  await drain(app);
  for (const [index, url] of ['/a', '/b', '/c'].entries()) {
    server.response(index).end(url);
    await client.answered(index + 1);
  }
  await client.untilEnded();
  t.strictSame(connectionHeaders(client), ['keep-alive', 'keep-alive', 'close']);
  t.match(await app.wait(), { code: 0 });
});

t.test('pipelined requests that came before the drain: if all responses end early, the next one closes', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  client.send(GET('/a') + GET('/b') + GET('/c'));
  await server.received(3);
  await drain(app);
  for (const index of [2, 0, 1]) server.response(index).end(server.pending[index]!.request.url);
  await client.answered(3);
  client.send(GET('/d'));
  await server.received(4);
  server.response(3).end('/d');
  await client.untilEnded();
  t.strictSame(
    client.answers.map(({ body }) => body),
    ['/a', '/b', '/c', '/d'],
  );
  t.strictSame(connectionHeaders(client), ['keep-alive', 'keep-alive', 'keep-alive', 'close']);
  t.match(await app.wait(), { code: 0 });
});

for (const more of ['', 'GET / HT']) {
  const what = more === '' ? 'the only request: its response may move' : 'half of the next head: its response stays';
  t.test(`a client has sent ${what}`, async (t) => {
    const { held: server, app, client } = await held(t);
    client.send(GET('/a') + more);
    await server.received(1);
    const { request, response } = server.pending[0]!;
    const connections = app.servers[0]!.service.connections as HttpConnections;
    t.equal(connections.isBetweenRequests(request.socket, response), more === '');
    response.end();
    await client.answered(1);
  });
}

t.test('requests with Expect: 100-continue are drained', async (t) => {
  for (const own of [true, false]) {
    const server = http.createServer();
    const waiting: [IncomingMessage, ServerResponse][] = [];
    server.on(own ? 'checkContinue' : 'request', (request: IncomingMessage, response: ServerResponse) => waiting.push([request, response]));
    const { app, port } = await serveOn(t, server, { idleTimeout: 10_000 });
    const client = await rawClient(t, port);
    client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    await waitUntil('the request', () => waiting.length === 1);
    await drain(app);
    const [request, response] = waiting[0]!;
    if (own) response.writeContinue();
    await client.answered(1);
    t.equal(client.answers[0]!.status, 100);
    client.send('body');
    const [body] = (await once(request, 'data')) as [Buffer];
    response.end(`got ${String(body)}`);
    await client.untilEnded();
    t.match(
      client.answers[1],
      { status: 200, body: 'got body', headers: { connection: 'close' } },
      own ? 'checkContinue' : "Node.js's own",
    );
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('HTTPS connections, handshakes included, are followed and drained', async (t) => {
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const pending: ServerResponse[] = [];
  const server = https.createServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) }, (_, response) => pending.push(response));
  const { app, port } = await serveOn(t, server, { idleTimeout: 500 });
  const secure = async (socket = net.connect(port, '127.0.0.1')): Promise<RawClient> => {
    const secured = tls.connect({ socket, ca: cert, servername: 'localhost' });
    await once(secured, 'secureConnect');
    return rawClient(t, secured);
  };
  const inFlight = await secure();
  inFlight.send(GET());
  await waitUntil('the request', () => pending.length === 1);
  const idle = await secure();
  const late = net.connect(port, '127.0.0.1');
  await once(late, 'connect');
  const silent = await rawClient(t, port);
  await drain(app);
  pending[0]!.end('in flight');
  await inFlight.untilEnded();
  t.match(inFlight.answers, [{ body: 'in flight', headers: { connection: 'close' } }]);
  const handshaken = await secure(late);
  handshaken.send(GET());
  await waitUntil('the late request', () => pending.length === 2);
  pending[1]!.end('late');
  await handshaken.untilEnded();
  t.match(handshaken.answers, [{ body: 'late', headers: { connection: 'close' } }], 'a handshake that ended during the drain');
  t.match(await app.wait(), { code: 0, cutOff: [] }, 'the drain ends before its deadline');
  await Promise.all([idle.untilEnded(), silent.untilEnded()]);
});

t.test('a response that broke off before the drain is not in flight', async (t) => {
  const { held: server, app, client } = await held(t, { drainTimeout: 5_000, idleTimeout: 50 });
  client.send(GET());
  await server.received(1);
  const closed = once(server.response(0), 'close');
  client.destroy();
  await closed;
  await app.stop();
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('a TLS connection over an unknown wrapper does not keep later drains until their deadline', async (t) => {
  const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
  const pending: ServerResponse[] = [];
  const server = https.createServer(
    { key: readFileSync(keyFile), cert: readFileSync(certFile), keepAliveTimeout: 0 },
    (request, response) => (request.url === '/held' ? pending.push(response) : response.end('x')),
  );
  const { app, port } = await serveOn(t, server, { idleTimeout: 100 });
  /** A connection that a proxy in the program passes to the server: it is a stream and no socket. */
  const wrapped = async (): Promise<RawClient> => {
    const [here, there] = await streamPair(t);
    server.emit('connection', there);
    const secured = tls.connect({ socket: here, ca: cert, servername: 'localhost' });
    await once(secured, 'secureConnect');
    return rawClient(t, secured);
  };
  const gone = await wrapped();
  gone.send(GET());
  await gone.answered(1);
  gone.destroy();
  const idle = await wrapped();
  idle.send(GET());
  await idle.answered(1);
  const busy = await wrapped();
  busy.send(GET('/held'));
  await waitUntil('the request', () => pending.length === 1);
  const plain = tls.connect({ port, host: '127.0.0.1', ca: cert, servername: 'localhost' });
  await once(plain, 'secureConnect');
  const known = await rawClient(t, plain);
  await drain(app);
  await Promise.all([known.untilEnded(), idle.untilEnded()]);
  t.equal(app.state, 'draining', 'the request in flight is waited for');
  t.equal(busy.ended, undefined);
  pending[0]!.end('late');
  await busy.untilEnded();
  t.match(busy.answers, [{ body: 'late', headers: { connection: 'close' } }]);
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

/** Two streams that are connected; the second one is not a net.Socket. */
async function streamPair(t: Test): Promise<[net.Socket, Duplex]> {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { client, accepted } = await connected(t, server);
  const stream = new Duplex({
    read: () => accepted.resume(),
    write: (chunk, _, done) => void accepted.write(chunk as Buffer, () => done()),
    final: (done) => void accepted.end(() => done()),
    destroy: (_, done) => {
      accepted.destroy();
      done(null);
    },
  });
  accepted
    .on('data', (chunk) => stream.push(chunk))
    .on('end', () => stream.push(null))
    .on('close', () => stream.destroy());
  return [client, stream];
}
