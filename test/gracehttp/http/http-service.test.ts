import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import net from 'node:net';
import t, { type Test } from 'tap';
import tls from 'node:tls';
import { type App, type AppOptions } from '../../../gracehttp/app.js';
import { serveOn } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { type RawClient, rawClient } from '../../support/http/raw-client.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

const GET = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;
const UPLOAD_BYTES = 1024 * 1024;
/** More than a client that does not read has room for, and less than the kernel takes from the server. */
const ANSWER_BYTES = 1024 * 1024;

/** A server whose answers wait until the test lets them go. */
class Held {
  readonly pending: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  readonly server = http.createServer((request, response) => this.pending.push({ request, response }));

  async received(count: number): Promise<void> {
    await waitUntil(`${count} requests`, () => this.pending.length >= count);
  }

  response(index: number): ServerResponse {
    return this.pending[index]!.response;
  }
}

async function held(t: Test, options: AppOptions = {}): Promise<{ held: Held; app: App; client: RawClient; port: number }> {
  const server = new Held();
  const { app, port } = await serveOn(t, server.server, options);
  return { held: server, app, port, client: await rawClient(t, port) };
}

/** Begins to drain, and is sure that it has begun and that nobody can connect any more. */
async function drain(app: App): Promise<void> {
  void app.stop();
  await waitUntil('the end of accepting', () => app.servers.every(({ listener }) => !listener.listening));
}

const connections = (client: RawClient): (string | undefined)[] => client.answers.map(({ headers }) => headers['connection']);

t.test('an answer under way is finished, and says close', async (t) => {
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

t.test('an answer whose head is out keeps its connection for one more', async (t) => {
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
  t.strictSame(client.answers.map(({ body }) => body), ['whole', 'last']);
  t.strictSame(connections(client), ['keep-alive', 'close']);
  t.match(await app.wait(), { code: 0 });
});

t.test('an idle connection may bring one more request', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  client.send(GET());
  await server.received(1);
  server.response(0).end('first');
  await client.answered(1);
  await drain(app);
  t.equal(client.ended, undefined, 'is left');
  client.send(GET());
  await server.received(2);
  server.response(1).end('last');
  await client.untilEnded();
  t.strictSame(connections(client), ['keep-alive', 'close']);
  t.match(await app.wait(), { code: 0 });
});

t.test('a connection that never spoke may bring one request', async (t) => {
  const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
  await drain(app);
  client.send(GET());
  await server.received(1);
  server.response(0).end('x');
  await client.untilEnded();
  t.strictSame(connections(client), ['close']);
});

t.test('idle, silent and half-spoken connections end after the idle timeout, none counted', async (t) => {
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

t.test('pipelined requests are all answered', async (t) => {
  for (const when of ['before', 'while', 'across'] as const) {
    const { held: server, app, client } = await held(t, { idleTimeout: 10_000 });
    if (when === 'before') client.send(GET('/a') + GET('/b') + GET('/c'));
    if (when === 'across') client.send(GET('/a') + GET('/b'));
    await server.received({ before: 3, across: 2, while: 0 }[when]);
    await drain(app);
    if (when === 'while') client.send(GET('/a') + GET('/b') + GET('/c'));
    if (when === 'across') client.send(GET('/c'));
    await server.received(3);
    for (const index of [2, 0, 1]) server.response(index).end(server.pending[index]!.request.url);
    await client.untilEnded();
    t.strictSame(client.answers.map(({ body }) => body), ['/a', '/b', '/c'], `sent ${when} the drain`);
    t.strictSame(connections(client), ['keep-alive', 'keep-alive', 'close'], 'the last one says close');
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('a program that insists on keep-alive', async (t) => {
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
    t.strictSame(connections(client), ['close']);
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('HTTP/1.0', async (t) => {
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

t.test('an upload that is still coming is read to its end', async (t) => {
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
  // Longer than idle connections are left: an upload that pauses is none.
  await new Promise((done) => setTimeout(done, 150));
  client.send('x'.repeat(UPLOAD_BYTES / 2));
  await client.untilEnded();
  t.match(client.answers, [{ body: `${UPLOAD_BYTES} bytes`, headers: { connection: 'close' } }]);
});

t.test('an answer given before the upload is read reaches the client', async (t) => {
  for (const head of [`Content-Length: ${UPLOAD_BYTES}`, 'Transfer-Encoding: chunked']) {
    const { held: server, app, client: silent, port } = await held(t, { idleTimeout: 10_000 });
    silent.destroy();
    // It reads only after the server has let go of its answer: a reset would throw away what the kernel still has of it.
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }).pause();
    await once(socket, 'connect');
    const half = 'x'.repeat(UPLOAD_BYTES / 2);
    const chunk = head.startsWith('Transfer') ? `${half.length.toString(16)}\r\n${half}\r\n` : half;
    socket.write(`POST / HTTP/1.1\r\nHost: h\r\n${head}\r\n\r\n${chunk}`);
    await server.received(1);
    const written = once(server.response(0), 'close');
    await drain(app);
    server.response(0).writeHead(413, { 'Content-Length': ANSWER_BYTES }).end('y'.repeat(ANSWER_BYTES));
    await written;
    socket.write(chunk === half ? half : `${chunk}0\r\n\r\n`);
    await new Promise((done) => setTimeout(done, 50));
    const client = await rawClient(t, socket.resume());
    t.equal(await client.untilEnded(), 'end', 'no reset overtakes it');
    t.equal(client.answers[0]?.body.length, ANSWER_BYTES, head);
    t.strictSame(connections(client), ['close']);
    socket.end();
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('an upload that never ends does not hold the process after its answer', async (t) => {
  const { held: server, app, port } = await held(t, { idleTimeout: 50 });
  const client = await rawClient(t, net.connect({ port, host: '127.0.0.1', allowHalfOpen: true }));
  client.send('POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nx');
  await server.received(1);
  await drain(app);
  server.response(0).end('x');
  t.match(await app.wait(), { code: 0, cutOff: [] });
  t.match(client.answers, [{ body: 'x' }]);
});

t.test('Expect: 100-continue', async (t) => {
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
    t.match(client.answers[1], { status: 200, body: 'got body', headers: { connection: 'close' } }, own ? 'checkContinue' : 'Node.js\'s own');
    t.match(await app.wait(), { code: 0 });
  }
});

t.test('the deadline cuts off what is left, and counts it', async (t) => {
  const { held: server, app, client, port } = await held(t, { drainTimeout: 100, idleTimeout: 50 });
  const second = await rawClient(t, port);
  const idle = await rawClient(t, port);
  client.send(GET());
  second.send(GET());
  await server.received(2);
  const warned = new Promise<Error>((done) => process.once('warning', done));
  await app.stop();
  t.match(await app.wait(), { code: 1, cutOff: [{ address: app.addresses[0], count: 2 }] });
  t.match(await warned, { message: /: 2 cut off after 100 ms of draining/ });
  for (const each of [client, second, idle]) await each.untilEnded();
});

t.test('connections that nothing is asked of are not counted at the deadline', async (t) => {
  const { held: server, app, client } = await held(t, { drainTimeout: 50, idleTimeout: 10_000 });
  client.send(GET());
  await server.received(1);
  server.response(0).end('x');
  await client.answered(1);
  await app.stop();
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('an answer that broke off before the drain is not under way', async (t) => {
  const { held: server, app, client } = await held(t, { drainTimeout: 5_000, idleTimeout: 50 });
  client.send(GET());
  await server.received(1);
  const closed = once(server.response(0), 'close');
  client.destroy();
  await closed;
  await app.stop();
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('an upgraded connection lives on until its peers end it, or the deadline', async (t) => {
  for (const polite of [true, false]) {
    const server = http.createServer();
    let upgraded: net.Socket | undefined;
    server.on('upgrade', (_, socket: net.Socket) => {
      upgraded = socket;
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n');
      socket.on('data', (data) => socket.write(data)).on('end', () => socket.end()).on('error', () => undefined);
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

t.test('a server that does not speak HTTP ends with its connections', async (t) => {
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

t.test('HTTPS', async (t) => {
  const { keyFile, certFile, cert } = makeCertificate(scratch(t));
  const pending: ServerResponse[] = [];
  const server = https.createServer({ key: readFileSync(keyFile), cert: readFileSync(certFile) }, (_, response) => pending.push(response));
  const { app, port } = await serveOn(t, server, { idleTimeout: 500 });
  const secure = async (socket = net.connect(port, '127.0.0.1')): Promise<RawClient> => {
    const secured = tls.connect({ socket, ca: cert, servername: 'localhost' });
    await once(secured, 'secureConnect');
    return rawClient(t, secured);
  };
  const underWay = await secure();
  underWay.send(GET());
  await waitUntil('the request', () => pending.length === 1);
  const idle = await secure();
  const late = net.connect(port, '127.0.0.1');
  await once(late, 'connect');
  const silent = await rawClient(t, port);
  await drain(app);
  pending[0]!.end('under way');
  await underWay.untilEnded();
  t.match(underWay.answers, [{ body: 'under way', headers: { connection: 'close' } }]);
  const handshaken = await secure(late);
  handshaken.send(GET());
  await waitUntil('the late request', () => pending.length === 2);
  pending[1]!.end('late');
  await handshaken.untilEnded();
  t.match(handshaken.answers, [{ body: 'late', headers: { connection: 'close' } }], 'a handshake that began while draining');
  t.match(await app.wait(), { code: 0, cutOff: [] }, 'nobody is waited for until the deadline');
  await Promise.all([idle.untilEnded(), silent.untilEnded()]);
});
