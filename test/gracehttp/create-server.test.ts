import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { type ServerOptions, createServer } from '../../gracehttp/create-server.js';
import { portOf, serveHere } from '../support/app.js';
import { makeCertificate, scratch } from '../support/certificate.js';
import { connect, get, listenTo, send } from '../support/clients.js';
import { waitUntil } from '../support/wait.js';

/** What a late client or answer may be late by, on a machine that has other things to do. */
const SLACK_MS = 2_000;

/** Answers after `?ms=`, having written a piece first where `?piece` is asked for. */
function handler(request: http.IncomingMessage, response: http.ServerResponse): void {
  const url = new URL(request.url!, 'http://localhost');
  if (url.searchParams.has('piece')) response.write('a piece, ');
  setTimeout(() => response.end('served'), Number(url.searchParams.get('ms') ?? 0));
}

t.test('the defaults', (t) => {
  const server = createServer(':0', handler);
  t.match(server, {
    headersTimeout: 5_000,
    requestTimeout: 5_000,
    keepAliveTimeout: 5_000,
  });
  t.ok(server instanceof http.Server);
  const off = createServer(':0', handler, { readHeaderTimeout: 0, readTimeout: 0, keepAliveTimeout: 0 });
  t.match(off, { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 }, '0 switches off');
  const short = createServer(':0', handler, { readTimeout: 100 });
  t.match(short, { headersTimeout: 100, requestTimeout: 100 }, 'a head has no longer than the whole');
  t.end();
});

t.test('a client that is late', async (t) => {
  const late: [string, ServerOptions, string, RegExp][] = [
    ['says nothing', { readHeaderTimeout: 200 }, '', /^(HTTP\/1.1 408 |$)/],
    ['sends half a head', { readHeaderTimeout: 200 }, 'GET / HTTP/1.1\r\nHo', /^HTTP\/1.1 408 /],
    [
      'sends half a body',
      { readTimeout: 200 },
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345',
      /^HTTP\/1.1 408 |served/,
    ],
    ['has nothing more to ask', { keepAliveTimeout: 100 }, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', /served/],
    [
      'sends a large head',
      { maxHeaderBytes: 2_000 },
      `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(3_000)}\r\n\r\n`,
      /^HTTP\/1.1 431 /,
    ],
  ];
  for (const [what, options, words, expected] of late) {
    const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, options));
    const socket = connect({ port: portOf(app) });
    const begin = performance.now();
    const end = listenTo(socket);
    socket.write(words);
    t.match((await end).said, expected, what);
    t.ok(performance.now() - begin < SLACK_MS, 'soon');
    await app.stop();
  }
});

t.test('an answer that is late', async (t) => {
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { writeTimeout: 300, readTimeout: 0 }));
  const target = { port: portOf(app) };
  await t.rejects(get(target, '/?ms=3000'), { code: 'ECONNRESET' }, 'is cut off before its head');
  await t.rejects(get(target, '/?piece&ms=3000'), 'is cut off in its body');
  t.equal((await get(target, '/?ms=150')).body, 'served', 'and one that is in time is not');

  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const begin = performance.now();
  let answers = 0;
  let [port] = [0];
  while (performance.now() - begin < 800) {
    const { body } = await get(target, '/?ms=50', { agent });
    t.equal(body, 'served');
    const { localPort } = Object.values(agent.freeSockets).flat()[0] as net.Socket;
    port ||= localPort!;
    if (port !== localPort) t.fail('another connection');
    answers += 1;
  }
  t.ok(answers > 5, 'each answer of a connection has its own time');

  const pipelined = connect(target);
  const said = listenTo(pipelined);
  const request = (ms: number): string => `GET /?ms=${ms} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  pipelined.write(request(10) + request(20) + request(5_000));
  t.equal((await said).said.match(/served/g)?.length, 2, 'those before a late one are written');
  await waitUntil('no answer under way', () => app.servers[0]!.traffic.inFlight === 0);

  const early = connect(target);
  const both = listenTo(early);
  early.write(`${request(200)}`);
  await sleep(250);
  early.write(request(200));
  await sleep(400);
  early.end();
  t.equal((await both).said.match(/served/g)?.length, 2, 'an idle time does not count');
});

t.test('an answer may take its time where the limit is off', async (t) => {
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { writeTimeout: 0 }));
  t.equal((await get({ port: portOf(app) }, '/?ms=400')).body, 'served');
});

t.test('the kernel asks whether silent peers are there', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
  for (const [tcpKeepAlive, timer] of [[undefined, '02'], [0, '00']] as const) {
    const app = await serveHere(
      t,
      {},
      createServer('127.0.0.1:0', handler, tcpKeepAlive === undefined ? {} : { tcpKeepAlive }),
    );
    const port = portOf(app);
    const socket = connect({ port });
    await waitUntil('a connection', () => app.servers[0]!.traffic.open === 1);
    const hex = port.toString(16).toUpperCase().padStart(4, '0');
    // proc_net_tcp: local address, remote address, state 01 for established, queues, timer:when.
    const row = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .find((columns) => columns[1]?.endsWith(`:${hex}`) && columns[3] === '01');
    t.equal(row?.[5]?.slice(0, 2), timer, `${tcpKeepAlive}`);
    socket.destroy();
    await app.stop();
  }
});

t.test('a slow loris beside normal clients', async (t) => {
  const LORISES = 500;
  const options = { readHeaderTimeout: 1_000, maxConnections: 400, maxQueued: 1_000 };
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, options));
  const target = { port: portOf(app) };
  const lorises = Array.from({ length: LORISES }, () => connect(target));
  const ends = lorises.map(listenTo);
  lorises.forEach((socket) => socket.write('GET / HTTP/1.1\r\n'));
  const drip = setInterval(() => lorises.forEach((socket) => socket.writable && socket.write('x')), 1_000);
  t.teardown(() => clearInterval(drip));
  await waitUntil('all of them', () => app.servers[0]!.traffic.open === LORISES);
  const begin = performance.now();
  const answers = await Promise.all(Array.from({ length: 50 }, () => get(target)));
  t.equal(answers.filter(({ body }) => body === 'served').length, 50, 'who speaks is served');
  t.ok(performance.now() - begin < 1_000 * 2 + SLACK_MS, 'when the first lorises have had their time');
  const said = await Promise.all(ends);
  t.equal(said.filter(({ said }) => said.startsWith('HTTP/1.1 408 ')).length, LORISES, 'each loris is sent away');
});

t.test('options that are none', (t) => {
  const wrong: [ServerOptions, string][] = [
    [{ readTimeout: -1 }, 'readTimeout'],
    [{ readHeaderTimeout: NaN }, 'readHeaderTimeout'],
    [{ writeTimeout: 1.5 }, 'writeTimeout'],
    [{ keepAliveTimeout: Infinity }, 'keepAliveTimeout'],
    [{ maxHeaderBytes: 0 }, 'maxHeaderBytes'],
    [{ tcpKeepAlive: -1 }, 'tcpKeepAlive'],
  ];
  for (const [options, subject] of wrong) {
    t.throws(() => createServer(':0', handler, options), { name: 'GraceError', code: 'OPTION_INVALID', subject });
  }
  t.throws(() => createServer(':0', undefined as never), { code: 'OPTION_INVALID', subject: 'handler' });
  t.end();
});

t.test('certificates', async (t) => {
  const [folder, other] = [scratch(t), scratch(t)];
  const { keyFile, certFile, cert } = makeCertificate(folder);
  const strange = makeCertificate(other);
  const broken = join(folder, 'broken.pem');
  writeFileSync(broken, '-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n');
  const bad: [string, ServerOptions['tls'], RegExp][] = [
    ['a file that is not there', { key: join(folder, 'none.pem'), cert: certFile }, /ENOENT.*none\.pem/],
    ['a folder', { key: folder, cert: certFile }, /EISDIR/],
    ['a key of another certificate', { key: strange.keyFile, cert: certFile }, /key.*match/i],
    ['a certificate that does not parse', { key: keyFile, cert: broken }, /broken\.pem/],
    ['PEM that does not parse', { key: readFileSync(keyFile), cert: readFileSync(broken) }, /certificate/],
    ['no certificate', { key: keyFile } as ServerOptions['tls'], /tls\.cert is undefined/],
  ];
  for (const [what, tls, message] of bad) {
    t.throws(() => createServer(':0', handler, { tls: tls! }), { name: 'GraceError', code: 'CERTIFICATE_INVALID', message }, what);
  }

  const text = { key: readFileSync(keyFile, 'utf8'), cert };
  for (const [what, tls] of [['files', { key: keyFile, cert: certFile }], ['PEM', text]] as const) {
    const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { tls }));
    t.equal((await get({ port: portOf(app), ca: cert })).body, 'served', what);
    await app.stop();
  }

  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, { tls: { key: keyFile, cert: certFile } }));
  const failed: string[] = [];
  app.on('reload-failed', ({ code }) => failed.push(code));
  writeFileSync(keyFile, readFileSync(strange.keyFile));
  t.match(app.reload(), [{ code: 'CERTIFICATE_INVALID' }], 'half a new pair is reported');
  t.same(failed, ['CERTIFICATE_INVALID']);
  t.equal((await get({ port: portOf(app), ca: cert })).body, 'served', 'and the old one stays');
  writeFileSync(certFile, strange.cert);
  t.same(app.reload(), []);
  t.equal((await get({ port: portOf(app), ca: strange.cert })).body, 'served', 'the new one serves');
  await t.rejects(get({ port: portOf(app), ca: cert }), 'and the old one no more');
  rmSync(keyFile);
  t.equal(app.reload().length, 1);
});

t.test('entries', async (t) => {
  const folder = scratch(t);
  const socketPath = join(folder, 'app.sock');
  const app = await serveHere(
    t,
    {},
    createServer(`unix:${socketPath}`, handler, { name: 'admin', mode: 0o600, maxConnections: 7 }),
    { server: createServer(':1', handler), listen: '127.0.0.1:0' },
  );
  t.same(app.addresses[0], `unix:${socketPath}`);
  t.equal(app.servers[0]!.listener.name, 'admin');
  t.equal(app.servers[0]!.limit(), 7);
  t.equal((await send({ socketPath }, { method: 'POST' }, 'hello')).body, 'served');
  t.not(portOf(app, 1), 1, 'an entry says better where');
  await app.stop();
  await t.rejects(
    serveHere(t, {}, http.createServer()),
    { code: 'SERVER_INVALID', message: /createServer/ },
    'a server that does not know where',
  );
});
