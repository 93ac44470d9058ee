import { once } from 'node:events';
import http2 from 'node:http2';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { start } from '../../support/program.js';
import { writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

t.setTimeout(300_000);

const RESTARTS = 3;
const CLIENTS = 8;
const ENOUGH = 30;
/** A server says by these that it has not looked at a request, so that a client may send it again (RFC 9113, 8.7). */
const SAFE_TO_RETRY = new Set(['ERR_HTTP2_GOAWAY_SESSION', 'ERR_HTTP2_INVALID_SESSION', 'ERR_HTTP2_SESSION_ERROR']);

/** An HTTP/2 server with TLS, which answers in two pieces. */
const program = (key: string, cert: string): string => `
  import http2 from 'node:http2';
  import { App } from ${JSON.stringify(import.meta.resolve('ts-grace/gracehttp'))};
  import { announceEvents, serveOrAnnounce } from ${JSON.stringify(new URL('../../fixtures/announce.js', import.meta.url).href)};
  const app = new App({ follow: false, idleTimeout: 500 });
  announceEvents(app);
  const server = http2.createSecureServer({ key: ${JSON.stringify(key)}, cert: ${JSON.stringify(cert)} });
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    stream.respond({ ':status': 200 });
    stream.write(process.pid + ' ');
    setTimeout(() => stream.end('whole'), 20);
  });
  await serveOrAnnounce(app, { server, listen: '127.0.0.1:0' });
`;

t.test(`${RESTARTS} restarts under HTTP/2 load cut off no stream that the server has begun`, async (t) => {
  const { key, cert } = await makeCertificate(scratch(t));
  const running = start(t, writeRelease(scratch(t), program(key, cert)));
  const port = portOf(await running.announced('ready'));
  const byPid = new Map<number, number>();
  const lost: string[] = [];
  let retried = 0;
  let stop = false;

  const client = async (): Promise<void> => {
    while (!stop) {
      const session = http2.connect(`https://localhost:${port}`, {
        ca: cert,
        lookup: (_, __, done) => done(null, [{ address: '127.0.0.1', family: 4 }]),
      });
      let told = false;
      session.on('goaway', () => {
        told = true;
      });
      session.on('error', (error) => lost.push(`session: ${String(error)}`));
      await once(session, 'connect');
      while (!stop && !told && !session.closed && !session.destroyed) {
        await request(session).then(
          (pid) => byPid.set(pid, (byPid.get(pid) ?? 0) + 1),
          (error: Failure) => {
            if (error.begun || !error.safe) lost.push(error.message);
            else retried += 1;
          },
        );
      }
      if (session.destroyed) continue;
      session.close();
      await once(session, 'close');
    }
  };
  const clients = Array.from({ length: CLIENTS }, client);
  const served = (): Promise<void> =>
    waitUntil(
      'answers',
      () => (byPid.get(running.serving) ?? 0) >= ENOUGH,
      () => lost.join('\n'),
    );
  await served();
  for (let restart = 1; restart <= RESTARTS; restart += 1) {
    process.kill(running.serving, 'SIGUSR2');
    await running.announced('ready', restart + 1);
    await served();
    await running.announced('closed', restart);
  }
  stop = true;
  await Promise.all(clients);
  t.strictSame(lost, []);
  t.strictSame(
    running.all('ready').filter(({ pid }) => (byPid.get(pid) ?? 0) < ENOUGH),
    [],
    'each process has answered',
  );
  process.kill(running.serving, 'SIGTERM');
  await running.ended();
  t.strictSame(
    running.all('closed').map(({ code, cutOff }) => ({ code, cutOff })),
    Array.from({ length: RESTARTS + 1 }, () => ({ code: 0, cutOff: [] })),
  );
  t.comment(`${retried} requests were refused, and safe to send again`);
});

interface Failure extends Error {
  /** Whether a part of the answer had come. */
  readonly begun: boolean;
  readonly safe: boolean;
}

/** Resolves to the pid that gave a whole answer. */
function request(session: http2.ClientHttp2Session): Promise<number> {
  return new Promise((done, reject) => {
    let text = '';
    const fail = (error: NodeJS.ErrnoException, refused: boolean): void => {
      reject(Object.assign(error, { begun: text !== '', safe: refused || SAFE_TO_RETRY.has(error.code ?? '') }));
    };
    let stream: http2.ClientHttp2Stream;
    try {
      stream = session.request({ ':path': '/' });
    } catch (error) {
      return fail(error as Error, true);
    }
    let failure: NodeJS.ErrnoException | undefined;
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    stream.on('error', (error) => {
      failure = error;
    });
    stream.on('close', () => {
      const [pid, whole] = text.split(' ');
      if (failure === undefined && whole === 'whole') return done(Number(pid));
      fail(failure ?? new Error(`not the whole answer: "${text}"`), stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM);
    });
  });
}
