import { readFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { createServer } from '../../gracehttp/create-server.js';
import { type ServerOptions } from '../../gracehttp/entry/server-options.js';
import { portOf } from '../support/address.js';
import { serveHere } from '../support/app.js';
import { connect, get, listenTo, send } from '../support/http/client.js';
import { scratch } from '../support/scratch.js';
import { waitUntil } from '../support/wait.js';

/** How late a timeout may be noticed on a busy machine. */
const SLACK_MS = 2_000;

/** Answers after `?ms=`; `/read` when it has read the request's body. */
function handler(request: http.IncomingMessage, response: http.ServerResponse): void {
  const url = new URL(request.url!, 'http://localhost');
  if (url.pathname === '/read') {
    request.resume().on('end', () => response.end('read'));
    return;
  }
  setTimeout(() => response.end('served'), Number(url.searchParams.get('ms') ?? 0));
}

t.test('default timeouts, and how they are turned off', (t) => {
  const server = createServer(':0', handler);
  t.match(server, {
    headersTimeout: 5_000,
    requestTimeout: 5_000,
    keepAliveTimeout: 5_000,
  });
  t.ok(server instanceof http.Server);
  const off = createServer(':0', handler, { readHeaderTimeout: 0, readTimeout: 0, keepAliveTimeout: 0 });
  t.match(off, { headersTimeout: 0, requestTimeout: 0, keepAliveTimeout: 0 }, '0 turns a timeout off');
  const short = createServer(':0', handler, { readTimeout: 100 });
  t.match(short, { headersTimeout: 100, requestTimeout: 100 }, 'the head may not take longer than the whole request');
  t.end();
});

t.test('a late client is answered or closed in time', async (t) => {
  const late: [string, ServerOptions, string, RegExp][] = [
    ['sends nothing', { readHeaderTimeout: 200 }, '', /^HTTP\/1.1 408 /],
    ['sends half a head', { readHeaderTimeout: 200 }, 'GET / HTTP/1.1\r\nHo', /^HTTP\/1.1 408 /],
    [
      'sends half a body that the handler waits for',
      { readTimeout: 200 },
      'POST /read HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345',
      /^HTTP\/1.1 408 /,
    ],
    [
      'sends half a body that the handler does not wait for',
      { readTimeout: 200 },
      'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345',
      /^HTTP\/1.1 200 [^]*served/,
    ],
    ['sends no further request', { keepAliveTimeout: 100 }, 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', /served/],
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
    t.ok(performance.now() - begin < SLACK_MS, 'in time');
    await app.stop();
  }
});

t.test('tcpKeepAlive makes the kernel probe silent peers', { skip: process.platform !== 'linux' && 'Linux only' }, async (t) => {
  for (const [tcpKeepAlive, timer] of [
    [undefined, '02'],
    [0, '00'],
  ] as const) {
    const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, tcpKeepAlive === undefined ? {} : { tcpKeepAlive }));
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

t.test('slow loris clients do not keep normal clients out', async (t) => {
  const LORISES = 500;
  const options = { readHeaderTimeout: 1_000, maxConnections: 400, maxQueued: 1_000 };
  const app = await serveHere(t, {}, createServer('127.0.0.1:0', handler, options));
  const target = { port: portOf(app) };
  const lorises = Array.from({ length: LORISES }, () => connect(target));
  const ends = lorises.map(listenTo);
  lorises.forEach((socket) => socket.write('GET / HTTP/1.1\r\n'));
  const drip = setInterval(() => lorises.forEach((socket) => socket.writable && socket.write('x')), 1_000);
  t.teardown(() => clearInterval(drip));
  await waitUntil('all slow clients', () => app.servers[0]!.traffic.open === LORISES);
  const begin = performance.now();
  const answers = await Promise.all(Array.from({ length: 50 }, () => get(target)));
  t.equal(answers.filter(({ body }) => body === 'served').length, 50, 'normal clients are served');
  t.ok(performance.now() - begin < 1_000 * 2 + SLACK_MS, 'when the first slow clients have timed out');
  const said = await Promise.all(ends);
  t.equal(said.filter(({ said }) => said.startsWith('HTTP/1.1 408 ')).length, LORISES, 'each slow client gets 408');
});

t.test('invalid options', (t) => {
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
  const message =
    'the address is the function handler, expected text or a number: the address comes first, then the handler, then the options';
  t.throws(() => createServer(handler as never, ':0' as never), { code: 'OPTION_INVALID', subject: 'address', message });
  t.end();
});

t.test('the server knows its entry, and an explicit entry replaces it', async (t) => {
  const folder = scratch(t);
  const socketPath = join(folder, 'app.sock');
  const app = await serveHere(t, {}, createServer(`unix:${socketPath}`, handler, { name: 'admin', mode: 0o600, maxConnections: 7 }), {
    server: createServer(':1', handler),
    listen: '127.0.0.1:0',
  });
  t.same(app.addresses[0], `unix:${socketPath}`);
  t.equal(app.servers[0]!.listener.name, 'admin');
  t.equal(app.servers[0]!.limit(), 7);
  t.equal((await send({ socketPath }, { method: 'POST' }, 'hello')).body, 'served');
  t.not(portOf(app, 1), 1, 'the explicit entry is used');
  await app.stop();
  await t.rejects(serveHere(t, {}, http.createServer()), { code: 'SERVER_INVALID', message: /createServer/ }, 'a server without an entry');
});
