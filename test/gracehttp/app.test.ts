import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { App } from '../../gracehttp/app.js';
import { serve } from '../../gracehttp/serve.js';
import { type ServerEntry } from '../../gracehttp/entry/server-entry.js';
import { type State } from '../../lib/events.js';
import { Grace } from '../../lib/grace.js';
import { portOf } from '../support/address.js';
import { makeApp } from '../support/app.js';
import { fails } from '../support/errors.js';
import { get } from '../support/http/client.js';
import { scratch } from '../support/scratch.js';
import { freePort, openSockets, openedSince } from '../support/sockets.js';

const OPTIONS = { exit: false, signals: false } as const;
const answer = async (port: number): Promise<string> => (await get({ port })).body;
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
  t.strictSame(
    app.servers.map(({ server }) => server),
    servers,
  );
  t.equal(app.servers[0]!.listener.name, 'public');
  t.strictSame(
    { generation: app.generation, predecessor: app.predecessor, reason: app.reason },
    { generation: 1, predecessor: undefined, reason: undefined },
  );
  t.equal(await answer(portOf(app.addresses[0]!)), 'http');
  t.strictSame(readdirSync(folder).sort(), ['app.pid', 'app.sock']);

  await app.stop();
  t.strictSame(await app.wait(), { cutOff: [], code: 0 });
  t.equal(app.reason, 'stop');
  t.strictSame(events, [
    ['ready', 'serving'],
    ['draining', 'draining'],
    ['closed', 'closed'],
  ]);
  t.strictSame(readdirSync(folder), []);
  t.ok(servers.every((server) => !server.listening));
  await app.stop();
});

t.test('a start that fails last releases the sockets that already listen', async (t) => {
  const folder = scratch(t);
  const port = await freePort();
  const before = openSockets();
  const servers = [http.createServer(), http.createServer()];
  const pidFile = join(folder, 'missing', 'app.pid');
  const app = makeApp(t, { pidFile });
  const entries = [
    { server: servers[0]!, listen: `127.0.0.1:${port}` },
    { server: servers[1]!, listen: `unix:${folder}/a.sock` },
  ];
  await fails(t, () => app.serve(...entries), { code: 'PID_FILE', subject: 'pidFile', value: pidFile }, 'the pid file cannot be written');
  await nextTurn();
  t.strictSame(openedSince(before), []);
  t.strictSame(readdirSync(folder), []);
  t.ok(servers.every((server) => !server.listening));
  mkdirSync(join(folder, 'missing'));
  const again = makeApp(t, { pidFile });
  await again.serve(...entries);
  t.ok(existsSync(pidFile), 'the same servers can be served later');
  await again.stop();
});

t.test('the same address twice is refused', async (t) => {
  const port = await freePort();
  const entries = [
    { server: http.createServer(), listen: `:${port}` },
    { server: http.createServer(), listen: port },
  ];
  const before = openSockets();
  await fails(t, () => makeApp(t).serve(...entries), { code: 'ADDRESS_IN_USE', subject: 'address', value: `:${port}` }, 'refused');
  t.strictSame(openedSince(before), []);
});

t.test('a second call of serve() is refused', async (t) => {
  const app = makeApp(t);
  const entry = (): ServerEntry => ({ server: http.createServer((_, response) => response.end('first')), listen: '127.0.0.1:0' });
  const first = app.serve(entry());
  await fails(t, () => app.serve(entry()), { code: 'STATE_INVALID', subject: 'state', value: 'starting' }, 'starting');
  await first;
  await fails(t, () => app.serve(entry()), { code: 'STATE_INVALID', subject: 'state', value: 'serving' }, 'serving');
  t.equal(await answer(portOf(app.addresses[0]!)), 'first', 'the first call goes on');
  const stopped = app.stop();
  await fails(t, () => app.serve(entry()), { code: 'STATE_INVALID', subject: 'state', value: 'draining' }, 'draining');
  await stopped;
  await fails(t, () => app.serve(entry()), { code: 'STATE_INVALID', subject: 'state', value: 'closed' }, 'closed');
});

t.test('a process has one App at a time', async (t) => {
  const app = makeApp(t);
  await fails(t, () => new App(OPTIONS), { code: 'STATE_INVALID', subject: 'state', value: 'starting' }, 'another one starts');
  await app.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  await fails(t, () => new App(OPTIONS), { code: 'STATE_INVALID', subject: 'state', value: 'serving' }, 'another one serves');
  await fails(
    t,
    () => serve({ server: http.createServer(), listen: '127.0.0.1:0' }),
    { code: 'STATE_INVALID', subject: 'state', value: 'serving' },
    'serve()',
  );
  await app.stop();
  const next = makeApp(t);
  t.equal(next.state, 'starting', 'a new one after it has closed');
});

t.test('invalid options leave no signal handlers behind', async (t) => {
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
    [{ drainTimout: 5 }, 'drainTimout', 5],
    [{ maxConnection: 5 }, 'maxConnection', 5],
    [{ signals: { reastart: [] } }, 'signals.reastart', []],
  ];
  for (const [options, subject, value] of bad) {
    await fails(t, () => new App(options as never), { code: 'OPTION_INVALID', subject, value }, `${subject}: ${JSON.stringify(value)}`);
    t.equal(listeners(), before, 'no signal handler is left');
  }
  makeApp(t);
});

t.test('options that do not exist or belong elsewhere: the message says what to write', async (t) => {
  const table: readonly (readonly [options: object, message: string])[] = [
    [{ drainTimout: 5 }, 'new App() has no option drainTimout: did you mean drainTimeout?'],
    [{ maxConnections: 5 }, 'it belongs elsewhere, write serve({ server, listen, maxConnections: … })'],
    [{ maxConnection: 5 }, 'did you mean maxConnections? That belongs elsewhere, write serve({ server, listen, maxConnections: … })'],
    [{ readTimeout: 5 }, 'it belongs elsewhere, write createServer(address, handler, { readTimeout: … })'],
    [{ signals: { reastart: [] } }, 'signals has no option reastart: did you mean restart?'],
  ];
  for (const [options, message] of table) t.throws(() => new App(options), { code: 'OPTION_INVALID', message }, message);
  t.throws(() => new Grace({ drainTimout: 5 } as never), { message: 'new Grace() has no option drainTimout: did you mean drainTimeout?' });
  const app = makeApp(t);
  await t.rejects(app.listen('127.0.0.1:0', { nmae: 'x' } as never), { message: 'listen() has no option nmae: did you mean name?' });
  await app.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  await t.rejects(app.restart({ timout: 5 } as never), { message: 'restart() has no option timout: did you mean timeout?' });
});

t.test('app.server() finds a server by its name or its address', async (t) => {
  const app = makeApp(t);
  await fails(t, () => app.server('public'), { code: 'SERVER_INVALID', subject: 'name', value: 'public' }, 'before serve()');
  await app.serve(
    { server: http.createServer(), listen: '127.0.0.1:0', name: 'public' },
    { server: http.createServer(), listen: '127.0.0.1:0', name: 'admin' },
    { server: http.createServer(), listen: '127.0.0.2:0' },
  );
  t.equal(app.server('admin'), app.servers[1]);
  t.equal(app.server(app.addresses[2]!), app.servers[2]);
  t.equal(app.server('127.0.0.2:0'), app.servers[2], 'the address that was asked for');
  t.throws(() => app.server('pubic'), { message: 'there is no server "pubic"; did you mean public?' });
  t.throws(() => app.server('x'), { message: /expected one of: public, admin, 127\.0\.0\.2:\d+$/ });
});

t.test('signal handlers are removed when the app is closed', async (t) => {
  const count = (): number[] => ['SIGTERM', 'SIGINT', 'SIGUSR2', 'SIGHUP'].map((name) => process.listenerCount(name));
  const before = count();
  const app = makeApp(t, { signals: { restart: ['SIGUSR2', 'SIGHUP'] } });
  t.ok(
    count().every((number, index) => number > before[index]!),
    'each signal has a handler',
  );
  await app.stop();
  t.strictSame(count(), before);
});

t.test('restart() is refused while the app starts and drains', async (t) => {
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

t.test('hooks run in order, are bounded, and their errors are reported', async (t) => {
  const order: string[] = [];
  const app = makeApp(t, { onShutdown: async () => void order.push(`onShutdown ${app.state}`) });
  app.on('closed', () => order.push('closed'));
  await app.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  await app.stop();
  t.strictSame(order, ['onShutdown draining', 'closed']);

  const reports: string[] = [];
  const failing = makeApp(t, {
    onShutdown: () => Promise.reject(new Error('the database is gone')),
    log: (message) => reports.push(message),
  });
  await failing.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  await failing.stop();
  t.match(await failing.wait(), { code: 1, cutOff: [] });
  t.match(reports.at(-1), /^warning: onShutdown failed: Error: the database is gone/);

  const slow = makeApp(t, { drainTimeout: 50, onShutdown: () => new Promise(() => undefined) });
  await slow.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  await slow.stop();
  t.match(await slow.wait(), { code: 1 }, 'the drain deadline bounds it');

  const refusing = makeApp(t, { beforeRestart: () => Promise.reject(new Error('not now')) });
  await refusing.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  const failed = new Promise((done) => refusing.once('restart-failed', done));
  await t.rejects(refusing.restart(), { code: 'RESTART_FAILED', message: /keeps serving: not now/ });
  t.match(await failed, { code: 'RESTART_FAILED' });
  t.equal(refusing.state, 'serving');
});

t.test('files that cannot be removed do not stop the drain', async (t) => {
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

t.test('an https server without a certificate can be served and drained', async (t) => {
  const app = makeApp(t);
  await app.serve({ server: https.createServer(), listen: '127.0.0.1:0' });
  await app.stop();
  t.equal((await app.wait()).code, 0);
});
