import { once } from 'node:events';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { type App } from '../../../gracehttp/app.js';
import { portOf } from '../../support/address.js';
import { serveHere } from '../../support/app.js';
import { makeCertificate } from '../../support/certificate.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

interface Held {
  readonly app: App;
  readonly port: number;
  readonly streams: http2.ServerHttp2Stream[];
}

/** An HTTP/2 server whose streams are answered by the test. */
async function serveHeld(t: Test, server: http2.Http2Server | http2.Http2SecureServer = http2.createServer()): Promise<Held> {
  const streams: http2.ServerHttp2Stream[] = [];
  server.on('stream', (stream) => streams.push(stream));
  const app = await serveHere(t, { idleTimeout: 60_000, drainTimeout: 20_000 }, { server, listen: '127.0.0.1:0' });
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

t.test('a drain sends GOAWAY on each HTTP/2 session, finishes its streams, and then ends it', async (t) => {
  const { app, port, streams } = await serveHeld(t);
  const [busy, idle] = [await connect(t, port), await connect(t, port)];
  const told = Promise.all([busy, idle].map((session) => once(session, 'goaway')));
  const slow = request(busy, '/slow');
  await waitUntil('the stream', () => streams.length === 1);
  const idleClosed = once(idle, 'close');
  void app.stop();
  await idleClosed;
  t.strictSame((await told).map(([code]) => code as number), [http2.constants.NGHTTP2_NO_ERROR, http2.constants.NGHTTP2_NO_ERROR]);
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

t.test('a session whose TLS handshake began before the drain gets GOAWAY too', async (t) => {
  const { key, cert } = await makeCertificate(scratch(t));
  const { app, port } = await serveHeld(t, http2.createSecureServer({ key, cert }));
  const silent = net.connect(port, '127.0.0.1');
  t.teardown(() => silent.destroy());
  await waitUntil('the connection', () => app.servers[0]!.traffic.open === 1);
  void app.stop();
  await waitUntil('the end of accepting', () => !app.servers[0]!.listener.listening);
  const secured = tls.connect({ socket: silent, ca: cert, servername: 'localhost', ALPNProtocols: ['h2'] });
  const late = http2.connect('https://localhost', { createConnection: () => secured });
  late.on('error', () => undefined);
  const [code] = (await once(late, 'goaway')) as [number];
  t.equal(code, http2.constants.NGHTTP2_NO_ERROR);
  t.match(await app.wait(), { code: 0, cutOff: [] });
});
