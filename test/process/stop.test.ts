import { once } from 'node:events';
import { existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import t, { type Test } from 'tap';
import { portOf } from '../support/address.js';
import { makeCertificate } from '../support/certificate.js';
import { getBody } from '../support/http/client.js';
import { type Program, type ProgramOptions, fixture, start } from '../support/program.js';
import { goodRelease, writeRelease } from '../support/release.js';
import { scratch } from '../support/scratch.js';
import { waitUntil } from '../support/wait.js';

const STOPS = 6;
const CLIENTS = 300;
const STOP_WITHIN_MS = 2_500;

function serve(t: Test, argument: object, options: ProgramOptions = {}): Program {
  return start(t, fixture('server'), { ...options, args: [JSON.stringify(argument)] });
}

async function connect(address: string): Promise<net.Socket> {
  const socket = net.connect(portOf(address), '127.0.0.1');
  await once(socket, 'connect');
  return socket;
}

/** Reads until the server closes the connection. */
async function readAll(socket: net.Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(socket, 'close');
  return text;
}

for (const kind of ['HTTP', 'HTTPS', 'a unix socket'] as const) {
  t.test(`SIGTERM loses no request of ${CLIENTS} clients that open a connection for each, by ${kind}`, async (t) => {
    const folder = scratch(t);
    const { keyFile, certFile, cert } = await makeCertificate(folder);
    const arguments_ = {
      HTTP: { http: ['localhost:0'] },
      HTTPS: { https: ['localhost:0'], key: keyFile, cert: certFile },
      'a unix socket': { http: [`unix:${join(folder, 'app.sock')}`] },
    };
    for (let stop = 1; stop <= STOPS / 3; stop += 1) {
      const program = serve(t, arguments_[kind]);
      const [address] = (await program.announced('ready')).addresses as string[];
      const result = { answered: 0, lost: [] as string[] };
      const ca = kind === 'HTTPS' ? cert : undefined;
      const asked = performance.now();
      const clients = Array.from({ length: CLIENTS }, () => askUntilRefused(address!, ca, result));
      await waitUntil('answers', () => result.answered >= CLIENTS);
      const begun = performance.now();
      // What this machine needs for as many clients: the drain answers them once more.
      const within = STOP_WITHIN_MS + 2 * (begun - asked);
      process.kill(program.pid, 'SIGTERM');
      t.same(await program.exited, { code: 0, signal: null });
      const took = performance.now() - begun;
      await Promise.all(clients);
      t.same(result.lost, [], `stop ${stop}: ${result.answered} answered, 0 lost`);
      t.ok(took < within, `the process ended within ${Math.round(took)} ms, at most ${Math.round(within)}`);
    }
  });
}

async function askUntilRefused(address: string, ca: string | undefined, result: { answered: number; lost: string[] }): Promise<void> {
  for (;;) {
    try {
      await getBody(address, '/', ca);
      result.answered += 1;
    } catch (error) {
      const { code, syscall } = error as NodeJS.ErrnoException;
      // A refused connection is no loss; a reset of an accepted one is.
      if (syscall !== 'connect') result.lost.push(String(error));
      else if (code !== 'ECONNREFUSED' && code !== 'ENOENT') continue;
      return;
    }
  }
}

t.test('a draining server answers one last request on idle and silent connections, and on half a request', async (t) => {
  const folder = scratch(t);
  const { keyFile, certFile } = await makeCertificate(folder);
  const argument = { http: ['127.0.0.1:0'], https: ['127.0.0.1:0'], key: keyFile, cert: certFile, idleTimeout: 3_000 };
  const program = serve(t, argument);
  const [address, secure] = (await program.announced('ready')).addresses as [string, string];
  const idle = await connect(address);
  idle.write('GET /first HTTP/1.1\r\nHost: x\r\n\r\n');
  await once(idle, 'data');
  const silent = await connect(address);
  const half = await connect(address);
  half.write('GET /half HT');
  const beforeHandshake = await connect(secure);
  process.kill(program.pid, 'SIGTERM');
  await program.announced('draining');

  idle.write('GET /again HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(await readAll(idle), /^HTTP\/1.1 200[^]*Connection: close[^]*slept 0/, 'idle');
  silent.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(await readAll(silent), /^HTTP\/1.1 200[^]*Connection: close[^]*slept 0/, 'silent');
  half.write('TP/1.1\r\nHost: x\r\n\r\n');
  t.match(await readAll(half), /^HTTP\/1.1 200[^]*Connection: close[^]*slept 0/, 'half a request');
  const secured = tls.connect({ socket: beforeHandshake, rejectUnauthorized: false });
  secured.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(await readAll(secured), /^HTTP\/1.1 200[^]*Connection: close/, 'TLS handshake started while draining');
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('silent connections are closed at idleTimeout, also during the TLS handshake', async (t) => {
  const folder = scratch(t);
  const { keyFile, certFile } = await makeCertificate(folder);
  const program = serve(t, { http: ['127.0.0.1:0'], https: ['127.0.0.1:0'], key: keyFile, cert: certFile, idleTimeout: 300 });
  const addresses = (await program.announced('ready')).addresses as string[];
  const sockets = await Promise.all([...addresses, ...addresses].map(connect));
  sockets[1]!.write(Buffer.from([0x16, 0x03, 0x01]));
  const closed = sockets.map((socket) => once(socket.resume(), 'close'));
  process.kill(program.pid, 'SIGTERM');
  await Promise.all(closed);
  t.same(await program.exited, { code: 0, signal: null });
  t.same((await program.announced('closed')).cutOff, [], 'none of it counts as cut off');
});

t.test('a drain finishes answers and uploads in flight', async (t) => {
  const program = serve(t, { http: ['127.0.0.1:0'], idleTimeout: 200 });
  const [address] = (await program.announced('ready')).addresses as string[];
  const slow = getBody(address!, '/?ms=600');
  const pieces = getBody(address!, '/pieces?ms=600');
  const upload = await connect(address!);
  upload.write('POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nhal');
  const silentClosed = once((await connect(address!)).resume(), 'close');
  await getBody(address!);
  process.kill(program.pid, 'SIGTERM');
  await program.announced('draining');
  // Longer than idleTimeout without a byte, but the request is in flight.
  const answer = readAll(upload);
  await silentClosed;
  upload.write('fed');
  t.match(await slow, 'slept 600');
  t.match(await pieces, /done$/);
  t.match(await answer, /^HTTP\/1.1 200[^]*[0-9a-f]{64}/);
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('a client gets the answer to an upload that the handler does not read', async (t) => {
  const program = serve(t, { http: ['127.0.0.1:0'] });
  const [address] = (await program.announced('ready')).addresses as string[];
  const held = await connect(address!);
  const createConnection = (): net.Socket => held;
  process.kill(program.pid, 'SIGTERM');
  await program.announced('draining');
  const size = 16 * 1024 * 1024;
  const request = http.request({ method: 'POST', path: '/early', createConnection, headers: { 'Content-Length': size } });
  const answered = once(request, 'response') as Promise<[http.IncomingMessage]>;
  // More than the kernel's buffers hold, so that the client still writes when the answer comes.
  request.end(Buffer.alloc(size));
  const [response] = await answered;
  t.equal(response.headers.connection, 'close');
  const body = await response.setEncoding('utf8').toArray();
  t.equal(body.join(''), 'answered before the upload was read');
  held.destroy();
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('the drain deadline closes connections, counts them and names their server', async (t) => {
  const program = serve(t, { http: ['127.0.0.1:0', '127.0.0.1:0'], drainTimeout: 400 });
  const addresses = (await program.announced('ready')).addresses as string[];
  const lost = Promise.all([1, 2].map(() => getBody(addresses[1]!, '/?ms=20000').catch((error: Error) => error)));
  await getBody(addresses[1]!);
  process.kill(program.pid, 'SIGTERM');
  t.match(await lost, [Error, Error]);
  t.same(await program.exited, { code: 1, signal: null });
  t.same((await program.announced('closed')).cutOff, [{ address: addresses[1], name: 'http1', count: 2 }]);
  t.match(program.stderr, /http1: 2 requests cut off/);
});

const HOOKS = [
  { takes: 500, failure: undefined, shutDown: true },
  { takes: 60_000, failure: /onShutdown failed: Error: onShutdown did not finish/, shutDown: false },
];

for (const { takes, failure, shutDown } of HOOKS) {
  t.test(`onShutdown of ${takes} ms has a second of its own after the deadline`, async (t) => {
    const hook = `async () => { announce('hook'); await new Promise((done) => setTimeout(done, ${takes})); announce('shut-down'); }`;
    const release = goodRelease('never', '127.0.0.1:0', '', `{ drainTimeout: 300, onShutdown: ${hook} }`);
    const program = start(t, writeRelease(scratch(t), release.replace(/response\.end\([^)]*\)/, `announce('request')`)));
    const [address] = (await program.announced('ready')).addresses as string[];
    const cut = getBody(address!).catch(() => 'cut off');
    await program.announced('request');
    const begin = performance.now();
    process.kill(program.pid, 'SIGTERM');
    await program.announced('hook');
    t.same(await program.exited, { code: 1, signal: null });
    const took = performance.now() - begin;
    t.ok(took >= 300 + Math.min(takes, 1_000), `${took} ms`);
    t.equal(await cut, 'cut off');
    t.equal(program.all('shut-down').length, shutDown ? 1 : 0);
    if (failure !== undefined) t.match(program.stderr, failure);
  });
}

t.test('a handler that writes Connection: keep-alive does not delay the drain', async (t) => {
  const program = serve(t, { http: ['127.0.0.1:0'] });
  const [address] = (await program.announced('ready')).addresses as string[];
  const socket = await connect(address!);
  socket.write('GET /stubborn HTTP/1.1\r\nHost: x\r\n\r\n');
  const [first] = (await once(socket, 'data')) as [Buffer];
  t.match(String(first), /Connection: keep-alive/);
  process.kill(program.pid, 'SIGTERM');
  await program.announced('draining');
  socket.write('GET /stubborn HTTP/1.1\r\nHost: x\r\n\r\n');
  t.match(await readAll(socket), /Connection: close/);
  await program.exited;
});

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGINT', 130],
] as const) {
  t.test(`a second ${signal} exits at once and removes the files`, async (t) => {
    const folder = scratch(t);
    const path = join(folder, 'app.sock');
    const pidFile = join(folder, 'app.pid');
    const program = serve(t, { http: [`unix:${path}`], pidFile });
    await program.announced('ready');
    const slow = getBody(`unix:${path}`, '/?ms=20000').catch((error: Error) => error);
    await getBody(`unix:${path}`);
    process.kill(program.pid, signal);
    await program.announced('draining');
    await program.insist(signal);
    t.same(await program.exited, { code, signal: null });
    t.ok((await slow) instanceof Error);
    t.notOk(existsSync(path) || existsSync(pidFile), 'no file is left');
  });
}

t.test('the first SIGTERM changes nothing for a process that drains after a hand-over', async (t) => {
  const program = serve(t, { http: ['127.0.0.1:0'] });
  const [address] = (await program.announced('ready')).addresses as string[];
  const slow = getBody(address!, '/?ms=700');
  await getBody(address!);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('restarted');
  process.kill(program.pid, 'SIGTERM');
  t.equal(await slow, 'slept 700');
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('the last owner removes socket and pid file', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const pidFile = join(folder, 'app.pid');
  const program = serve(t, { http: [`unix:${path}`], pidFile });
  await program.announced('ready');
  t.equal(readFileSync(pidFile, 'utf8'), `${program.pid}\n`);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  await program.exited;
  t.equal(readFileSync(pidFile, 'utf8'), `${program.serving}\n`, 'the successor is in the pid file');
  t.equal(await getBody(`unix:${path}`), 'slept 0');
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.notOk(existsSync(path) || existsSync(pidFile), 'no file is left');
});

t.test('a file that replaced our socket file is kept', async (t) => {
  const path = join(scratch(t), 'app.sock');
  const program = serve(t, { http: [`unix:${path}`] });
  await program.announced('ready');
  unlinkSync(path);
  writeFileSync(path, 'not ours');
  process.kill(program.pid, 'SIGTERM');
  await program.exited;
  t.equal(readFileSync(path, 'utf8'), 'not ours');
});
