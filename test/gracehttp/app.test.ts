import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { App, type ServerEntry, serve } from '../../gracehttp/app.js';
import { type State } from '../../lib/events.js';
import { makeApp } from '../support/app.js';
import { scratch } from '../support/certificate.js';
import { type ExpectedError, fails } from '../support/errors.js';
import { freePort, listening, openSockets, portOf } from '../support/sockets.js';

const OPTIONS = { exit: false, signals: false } as const;
const answer = (port: number): Promise<string> => fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

t.test('from starting to closed', async (t) => {
  const folder = scratch(t);
  const pidFile = join(folder, 'app.pid');
  const app = makeApp(t, { pidFile });
  const events: [string, State][] = [];
  for (const event of ['ready', 'draining', 'closed'] as const) app.on(event, () => events.push([event, app.state]));
  t.equal(app.state, 'starting');
  const servers = [http.createServer((_, response) => response.end('http')), http.createServer(), net.createServer()];
  const served = await app.serve(
    { server: servers[0]!, listen: '127.0.0.1:0', name: 'public' },
    { server: servers[1]!, listen: `unix:${folder}/app.sock`, mode: 0o600 },
    { server: servers[2]!, listen: 0 },
  );
  t.equal(served, app);
  t.equal(app.state, 'serving');
  t.match(app.addresses, [/^127\.0\.0\.1:[1-9]\d*$/, `unix:${folder}/app.sock`, /^\[::\]:[1-9]\d*$/]);
  t.strictSame(app.servers.map(({ server }) => server), servers);
  t.equal(app.servers[0]!.listener.name, 'public');
  t.strictSame({ generation: app.generation, predecessor: app.predecessor, reason: app.reason }, { generation: 1, predecessor: undefined, reason: undefined });
  t.equal(await answer(Number(app.addresses[0]!.split(':')[1])), 'http');
  t.strictSame(readdirSync(folder).sort(), ['app.pid', 'app.sock']);

  await app.stop();
  t.strictSame(await app.wait(), { cutOff: [], code: 0 });
  t.equal(app.reason, 'stop');
  t.strictSame(events, [['ready', 'serving'], ['draining', 'draining'], ['closed', 'closed']]);
  t.strictSame(readdirSync(folder), []);
  t.ok(servers.every((server) => !server.listening));
  await app.stop();
});

t.test('bad entries: all that came before is released, and a new serve() works', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), 'precious');
  const busy = await listening(t, http.createServer(), { port: 0, host: '127.0.0.1' });
  const taken = `127.0.0.1:${portOf(busy)}`;
  const good = http.createServer();

  const entry = (value: unknown): ServerEntry => value as ServerEntry;
  const server = (subject: string, value: unknown): ExpectedError => ({ code: 'SERVER_INVALID', subject, value });
  const address = (code: ExpectedError['code'], value: string): ExpectedError => ({ code, subject: 'address', value });
  const plain = {};
  const bad: readonly (readonly [what: string, entry: ServerEntry, expected: ExpectedError])[] = [
    ['nothing', entry(undefined), server('servers[2]', undefined)],
    ['null', entry(null), server('servers[2]', undefined)],
    ['no server', entry({ listen: ':0' }), server('servers[2]', undefined)],
    ['an object that is no server', entry({ server: plain, listen: ':0' }), server('servers[2]', plain)],
    ['a handler in place of a server', entry({ server: 'handler', listen: ':0' }), server('servers[2]', 'handler')],
    ['no address', entry({ server: http.createServer() }), server('servers[2].listen', undefined)],
    ['an address that is an object', entry({ server: http.createServer(), listen: plain }), server('servers[2].listen', plain)],
    ['a name that is a number', entry({ server: http.createServer(), listen: ':0', name: 5 }), server('servers[2].name', 5)],
    ['a server that listens', { server: busy, listen: '127.0.0.1:0' }, server('servers[2]', '127.0.0.1:0')],
    ['a server that was passed before', { server: good, listen: '127.0.0.1:0' }, server('servers[2]', '127.0.0.1:0')],
    ['an address that does not parse', { server: http.createServer(), listen: 'nonsense' }, address('ADDRESS_INVALID', 'nonsense')],
    ['an empty address', { server: http.createServer(), listen: '' }, address('ADDRESS_INVALID', '')],
    ['an address that is taken', { server: http.createServer(), listen: taken }, address('ADDRESS_IN_USE', taken)],
    ['a socket path that is a file', { server: http.createServer(), listen: `unix:${folder}/file` }, address('NOT_A_SOCKET', `unix:${folder}/file`)],
    ['a socket path that takes no files', { server: http.createServer(), listen: 'unix:/proc/x.sock' }, address('ADDRESS_FORBIDDEN', 'unix:/proc/x.sock')],
    ['a bad backlog', { server: http.createServer(), listen: ':0', backlog: 0 }, { code: 'OPTION_INVALID', subject: 'backlog', value: 0 }],
    ['a bad mode', { server: http.createServer(), listen: ':0', mode: 1.5 }, { code: 'OPTION_INVALID', subject: 'mode', value: 1.5 }],
    ['a descriptor that is not open', { server: http.createServer(), listen: 'fd:999999' }, { code: 'INHERITANCE_INVALID', subject: 'fd', value: 999_999 }],
    ['a socket that was not passed', { server: http.createServer(), listen: 'systemd:x' }, address('SOCKET_NOT_PASSED', 'systemd:x')],
  ];
  for (const [what, last, expected] of bad) {
    await t.test(what, async (t) => {
      const port = await freePort();
      const before = openSockets().size;
      const first = { server: good, listen: `127.0.0.1:${port}` };
      const second = { server: http.createServer(), listen: `unix:${folder}/app.sock` };
      const app = makeApp(t, { pidFile: join(folder, 'app.pid') });
      await fails(t, () => app.serve(first, second, last), expected, 'refused');
      t.equal(app.state, 'closed');
      t.match(await app.wait(), { code: 1 });
      await nextTurn();
      t.equal(openSockets().size, before, 'no socket is left');
      t.strictSame(readdirSync(folder), ['file'], 'no file is left');
      t.notOk(good.listening);

      const again = makeApp(t);
      await again.serve({ server: http.createServer((_, response) => response.end('again')), listen: `127.0.0.1:${port}` });
      t.equal(await answer(port), 'again');
      await again.stop();
    });
  }
});

t.test('nothing to serve', async (t) => {
  const nothing = { code: 'SERVER_INVALID', subject: 'servers', value: 0 } as const;
  await fails(t, () => serve(), nothing, 'serve()');
  await fails(t, () => makeApp(t).serve(), nothing, 'app.serve()');
});

t.test('a start that fails at its end releases what listens already', async (t) => {
  const folder = scratch(t);
  const port = await freePort();
  const before = openSockets().size;
  const servers = [http.createServer(), http.createServer()];
  const pidFile = join(folder, 'missing', 'app.pid');
  const app = makeApp(t, { pidFile });
  const entries = [{ server: servers[0]!, listen: `127.0.0.1:${port}` }, { server: servers[1]!, listen: `unix:${folder}/a.sock` }];
  await fails(t, () => app.serve(...entries), { code: 'PID_FILE', subject: 'pidFile', value: pidFile }, 'the pid file cannot be written');
  await nextTurn();
  t.equal(openSockets().size, before);
  t.strictSame(readdirSync(folder), []);
  t.ok(servers.every((server) => !server.listening));
  mkdirSync(join(folder, 'missing'));
  const again = makeApp(t, { pidFile });
  await again.serve(...entries);
  t.ok(existsSync(pidFile), 'the same servers can be served when it can');
  await again.stop();
});

t.test('one address twice', async (t) => {
  const port = await freePort();
  const entries = [{ server: http.createServer(), listen: `:${port}` }, { server: http.createServer(), listen: port }];
  const before = openSockets().size;
  await fails(t, () => makeApp(t).serve(...entries), { code: 'ADDRESS_IN_USE', subject: 'address', value: `:${port}` }, 'refused');
  t.equal(openSockets().size, before);
});

t.test('serve() twice', async (t) => {
  const app = makeApp(t);
  const entry = (): ServerEntry => ({ server: http.createServer((_, response) => response.end('first')), listen: '127.0.0.1:0' });
  const first = app.serve(entry());
  await fails(t, () => app.serve(entry()), { code: 'STATE_INVALID', subject: 'state', value: 'starting' }, 'while it starts');
  await first;
  await fails(t, () => app.serve(entry()), { code: 'STATE_INVALID', subject: 'state', value: 'serving' }, 'while it serves');
  t.equal(await answer(Number(app.addresses[0]!.split(':')[1])), 'first', 'the first goes on');
  const stopped = app.stop();
  await fails(t, () => app.serve(entry()), { code: 'STATE_INVALID', subject: 'state', value: 'draining' }, 'while it drains');
  await stopped;
  await fails(t, () => app.serve(entry()), { code: 'STATE_INVALID', subject: 'state', value: 'closed' }, 'after it');
});

t.test('one App a process', async (t) => {
  const app = makeApp(t);
  await fails(t, () => new App(OPTIONS), { code: 'STATE_INVALID', subject: 'state', value: 'starting' }, 'while another starts');
  await app.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  await fails(t, () => new App(OPTIONS), { code: 'STATE_INVALID', subject: 'state', value: 'serving' }, 'while another serves');
  await fails(t, () => serve({ server: http.createServer(), listen: '127.0.0.1:0' }), { code: 'STATE_INVALID', subject: 'state', value: 'serving' }, 'serve()');
  await app.stop();
  const next = makeApp(t);
  t.equal(next.state, 'starting', 'after it there can be another');
});

t.test('bad options leave nothing behind', async (t) => {
  const listeners = (): number => ['SIGTERM', 'SIGINT', 'SIGUSR2'].reduce((sum, name) => sum + process.listenerCount(name), 0);
  const before = listeners();
  const bad: readonly (readonly [options: unknown, subject: string, value: unknown])[] = [
    [{ drainTimeout: -1 }, 'drainTimeout', -1],
    [{ idleTimeout: '5s' }, 'idleTimeout', '5s'],
    [{ restartTimeout: 1.5 }, 'restartTimeout', 1.5],
    [{ drainDelay: 30_000 }, 'drainDelay', 30_000],
    [{ signals: { stop: ['SIGKILL'] } }, 'signals.stop', ['SIGKILL']],
    [{ onShutdown: 5 }, 'onShutdown', 5],
    [null, 'options', null],
  ];
  for (const [options, subject, value] of bad) {
    await fails(t, () => new App(options as never), { code: 'OPTION_INVALID', subject, value }, `${subject}: ${JSON.stringify(value)}`);
    t.equal(listeners(), before, 'no signal handler is left');
  }
  makeApp(t);
});

t.test('signal handlers go when it is closed', async (t) => {
  const count = (): number[] => ['SIGTERM', 'SIGINT', 'SIGUSR2', 'SIGHUP'].map((name) => process.listenerCount(name));
  const before = count();
  const app = makeApp(t, { signals: { restart: ['SIGUSR2', 'SIGHUP'] } });
  t.strictSame(count(), before.map((number) => number + 1));
  await app.stop();
  t.strictSame(count(), before);
});

t.test('restart() before it is ready and while it drains', async (t) => {
  const app = makeApp(t);
  await fails(t, () => app.restart(), { code: 'STATE_INVALID', subject: 'state', value: 'starting' }, 'starting');
  await app.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  for (const timeout of [-1, NaN, '5' as never]) {
    await fails(t, () => app.restart({ timeout }), { code: 'OPTION_INVALID', subject: 'timeout', value: timeout }, `timeout ${timeout}`);
  }
  const stopped = app.stop();
  await fails(t, () => app.restart(), { code: 'STATE_INVALID', subject: 'state', value: 'draining' }, 'draining');
  await stopped;
});

t.test('hooks', async (t) => {
  const order: string[] = [];
  const app = makeApp(t, { onShutdown: async () => void order.push(`onShutdown ${app.state}`) });
  app.on('closed', () => order.push('closed'));
  await app.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  await app.stop();
  t.strictSame(order, ['onShutdown draining', 'closed']);

  const failing = makeApp(t, { onShutdown: () => Promise.reject(new Error('the database is gone')) });
  await failing.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  const warned = new Promise<Error>((done) => process.once('warning', done));
  await failing.stop();
  t.match(await failing.wait(), { code: 1, cutOff: [] });
  t.match(await warned, { message: /onShutdown failed: Error: the database is gone/ });

  const slow = makeApp(t, { drainTimeout: 50, onShutdown: () => new Promise(() => undefined) });
  await slow.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  await slow.stop();
  t.match(await slow.wait(), { code: 1 }, 'the deadline holds for it too');

  const refusing = makeApp(t, { beforeRestart: () => Promise.reject(new Error('not now')) });
  await refusing.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  const failed = new Promise((done) => refusing.once('restart-failed', done));
  await t.rejects(refusing.restart(), { code: 'RESTART_FAILED', message: /keeps serving: not now/ });
  t.match(await failed, { code: 'RESTART_FAILED' });
  t.equal(refusing.state, 'serving');
});

t.test('files that cannot be removed do not keep it from its end', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'run');
  mkdirSync(path);
  const app = makeApp(t, { pidFile: join(path, 'app.pid') });
  await app.serve({ server: http.createServer(), listen: `unix:${path}/app.sock` });
  renameSync(path, join(folder, 'moved'));
  writeFileSync(path, 'a file where the folder was');
  await app.stop();
  t.strictSame(await app.wait(), { cutOff: [], code: 0 });
});

t.test('an https server without a certificate accepts and is drained', async (t) => {
  const app = makeApp(t);
  await app.serve({ server: https.createServer(), listen: '127.0.0.1:0' });
  await app.stop();
  t.equal((await app.wait()).code, 0);
});
