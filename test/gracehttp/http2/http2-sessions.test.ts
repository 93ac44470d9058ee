import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { type App, type AppOptions } from '../../../gracehttp/app.js';
import { type LimitOptions } from '../../../gracehttp/limit/limit-options.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { get } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

const { NGHTTP2_NO_ERROR } = http2.constants;
/** What a client of HTTP/2 says first, and empty SETTINGS. */
const PREFACE = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0])]);
const LOOPS = 30;

interface Held {
  readonly app: App;
  readonly port: number;
  readonly streams: http2.ServerHttp2Stream[];
}

interface Options extends AppOptions {
  readonly server?: http2.Http2Server | http2.Http2SecureServer;
  readonly limits?: LimitOptions;
}

/** An HTTP/2 server whose streams are answered by the test; those to `/now` at once. */
async function serveHeld(t: Test, { server = http2.createServer(), limits = {}, ...options }: Options = {}): Promise<Held> {
  const streams: http2.ServerHttp2Stream[] = [];
  server.on('stream', (stream, headers) => {
    stream.on('error', () => undefined);
    if (headers[':path'] === '/now') answer(stream, 'now');
    else streams.push(stream);
  });
  const app = await serveHere(t, { idleTimeout: 60_000, drainTimeout: 20_000, ...options }, { server, listen: '127.0.0.1:0', ...limits });
  return { app, port: portOf(app), streams };
}

async function connect(t: Test, port: number): Promise<http2.ClientHttp2Session> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.teardown(() => session.destroy());
  session.on('error', () => undefined);
  await once(session, 'connect');
  // Its answer shows that the server has the session.
  await new Promise<void>((done, fail) => session.ping((error) => (error === null ? done() : fail(error))));
  return session;
}

/** The body of one request; rejects if its stream fails. */
async function request(session: http2.ClientHttp2Session, path: string): Promise<string> {
  const stream = session.request({ ':path': path });
  const chunks = (await stream.setEncoding('utf8').toArray()) as string[];
  return chunks.join('');
}

function answer(stream: http2.ServerHttp2Stream, text: string): void {
  stream.respond({ ':status': 200 });
  stream.end(text);
}

async function drain(app: App): Promise<void> {
  void app.stop();
  await waitUntil('the end of accepting', () => !app.servers[0]!.listener.listening);
}

t.test('a drain sends GOAWAY on each session, finishes its streams, and then ends it', async (t) => {
  const { app, port, streams } = await serveHeld(t);
  const [busy, idle] = [await connect(t, port), await connect(t, port)];
  await request(idle, '/now');
  const told = Promise.all([busy, idle].map((session) => once(session, 'goaway')));
  const slow = request(busy, '/slow');
  await waitUntil('the stream', () => streams.length === 1);
  const idleClosed = once(idle, 'close');
  void app.stop();
  await idleClosed;
  t.strictSame(
    (await told).map(([code]) => code as number),
    [NGHTTP2_NO_ERROR, NGHTTP2_NO_ERROR],
  );
  t.equal(busy.destroyed, false, 'the session with a stream is open');
  t.equal(app.state, 'draining', 'the drain waits for the stream, and not for the idle timeout of a minute');
  await t.rejects(request(busy, '/late'), { code: /ERR_HTTP2_(GOAWAY_SESSION|INVALID_SESSION|STREAM_ERROR)/ }, 'no later stream is taken');
  t.equal(streams.length, 1);
  const busyClosed = once(busy, 'close');
  answer(streams[0]!, 'whole');
  t.equal(await slow, 'whole');
  await busyClosed;
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('a session without a request so far gets its first one answered, and then GOAWAY', async (t) => {
  const { app, port } = await serveHeld(t);
  const session = await connect(t, port);
  let told = false;
  session.on('goaway', () => {
    told = true;
  });
  await drain(app);
  t.equal(told, false);
  t.equal(await request(session, '/now'), 'now');
  await waitUntil('GOAWAY', () => told);
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('a session whose TLS handshake began before the drain gets its first request answered too', async (t) => {
  const { key, cert } = await makeCertificate(scratch(t));
  const { app, port } = await serveHeld(t, { server: http2.createSecureServer({ key, cert }) });
  const silent = net.connect(port, '127.0.0.1');
  t.teardown(() => silent.destroy());
  await waitUntil('the connection', () => app.servers[0]!.traffic.open === 1);
  await drain(app);
  const secured = tls.connect({ socket: silent, ca: cert, servername: 'localhost', ALPNProtocols: ['h2'] });
  const late = http2.connect('https://localhost', { createConnection: () => secured });
  late.on('error', () => undefined);
  const told = once(late, 'goaway');
  t.equal(await request(late, '/now'), 'now');
  t.strictSame((await told)[0], NGHTTP2_NO_ERROR);
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('clients that send a request after each answer lose none, although they never send one again', async (t) => {
  const { app, port } = await serveHeld(t);
  let told = false;
  let answered = 0;
  const session = await connect(t, port);
  session.on('goaway', () => {
    told = true;
  });
  const loop = async (): Promise<void> => {
    while (!told) {
      t.equal(await request(session, '/now'), 'now');
      answered += 1;
    }
  };
  const loops = Array.from({ length: LOOPS }, loop);
  await waitUntil('answers', () => answered > LOOPS);
  void app.stop();
  await Promise.all(loops);
  t.match(await app.wait(), { code: 0, cutOff: [] });
});

t.test('a peer that has sent nothing, or has no stream left and does not close, ends after the idle timeout', async (t) => {
  const { app, port, streams } = await serveHeld(t, { idleTimeout: 100 });
  const peer = net.connect(port, '127.0.0.1');
  peer.on('error', () => undefined).resume();
  t.teardown(() => peer.destroy());
  peer.write(PREFACE);
  const silent = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  silent.on('error', () => undefined).resume();
  t.teardown(() => silent.destroy());
  await waitUntil('both connections', () => app.servers[0]!.traffic.open === 2);
  t.strictSame(streams, []);
  const begin = performance.now();
  await app.stop();
  const took = performance.now() - begin;
  t.match(await app.wait(), { code: 0, cutOff: [] });
  t.ok(took < 10_000, `after ${took.toFixed()} ms, and not at the deadline`);
});

t.test('streams count: in flight, idle sessions, and what the deadline cuts off', async (t) => {
  const { app, port, streams } = await serveHeld(t, { drainTimeout: 500, limits: { maxConnections: 2 } });
  const [busy, idle] = [await connect(t, port), await connect(t, port)];
  for (const path of ['/1', '/2', '/3']) void request(busy, path).catch(() => undefined);
  await request(idle, '/now');
  await waitUntil('the streams', () => streams.length === 3);
  await waitUntil('the end of the other stream', () => app.servers[0]!.traffic.inFlight === 3);
  t.match(app.servers[0]!.traffic, { open: 2, idle: 1, inFlight: 3 });
  idle.destroy();
  await waitUntil('one session', () => app.servers[0]!.traffic.open === 1);
  t.match(app.servers[0]!.traffic, { open: 1, idle: 0, inFlight: 3 });
  void app.stop();
  t.match(await app.wait(), { code: 1, cutOff: [{ count: 3 }] });
});

t.test('connections that wait for a place count once', async (t) => {
  const { app, port, streams } = await serveHeld(t, { drainTimeout: 300, limits: { maxConnections: 1 } });
  const busy = await connect(t, port);
  void request(busy, '/held').catch(() => undefined);
  await waitUntil('the stream', () => streams.length === 1);
  const waiting = net.connect(port, '127.0.0.1');
  waiting.on('error', () => undefined);
  t.teardown(() => waiting.destroy());
  await waitUntil('the waiting one', () => app.servers[0]!.traffic.queued === 1);
  void app.stop();
  t.match(await app.wait(), { code: 1, cutOff: [{ count: 2 }] });
});

t.test('sessions make room for connections that wait', async (t) => {
  const { port, streams } = await serveHeld(t, { limits: { maxConnections: 2 } });
  const [idle, busy] = [await connect(t, port), await connect(t, port)];
  await request(idle, '/now');
  const whole = request(busy, '/held');
  await waitUntil('the stream', () => streams.length === 1);
  const told = [once(idle, 'goaway'), once(busy, 'goaway')];
  const third = await connect(t, port);
  await told[0];
  const fourth = connect(t, port);
  await told[1];
  t.equal(busy.destroyed, false, 'a busy one leaves after its last answer');
  answer(streams[0]!, 'whole');
  t.equal(await whole, 'whole');
  t.equal(await request(await fourth, '/now'), 'now');
  t.equal(await request(third, '/now'), 'now');
});

t.test('with allowHTTP1, connections of HTTP/1.1 drain as usual', async (t) => {
  const { key, cert } = await makeCertificate(scratch(t));
  const server = http2.createSecureServer({ key, cert, allowHTTP1: true }, (_, response) => response.end('by HTTP/1.1'));
  const app = await serveHere(t, { idleTimeout: 60_000 }, { server, listen: '127.0.0.1:0' });
  const target = { port: portOf(app), ca: cert };
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  t.equal((await get(target)).body, 'by HTTP/1.1');
  await waitUntil('its end', () => app.servers[0]!.traffic.open === 0);
  await app.stop();
  t.match(await app.wait(), { code: 0, cutOff: [] });
});
