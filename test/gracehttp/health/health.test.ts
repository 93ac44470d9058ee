import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { type HealthOptions, health } from '../../../gracehttp/health/health.js';
import { App } from '../../../gracehttp/app.js';
import { createServer } from '../../../gracehttp/create-server.js';
import { portOf } from '../../support/app.js';
import { scratch } from '../../support/certificate.js';
import { type Answer, type Target, get, send } from '../../support/clients.js';
import { waitUntil } from '../../support/wait.js';

function makeApp(t: Test, options = {}): App {
  const app = new App({ exit: false, signals: false, idleTimeout: 50, drainTimeout: 5_000, ...options });
  t.teardown(() => app.stop());
  return app;
}

/** An app with a server that answers after `?ms=`, and an administrator's. */
async function administered(
  t: Test,
  options: HealthOptions = {},
  listen = '127.0.0.1:0',
): Promise<{ app: App; admin: Target; target: Target }> {
  const app = makeApp(t);
  const slow = http.createServer((request, response) => {
    setTimeout(() => response.end('served'), Number(new URL(request.url!, 'http://x').searchParams.get('ms')));
  });
  await app.serve(
    { server: slow, listen: '127.0.0.1:0', name: 'public', maxConnections: 3 },
    createServer(listen, health(app, options), { name: 'admin' }),
  );
  const admin = listen.startsWith('unix:') ? { socketPath: listen.slice('unix:'.length) } : { port: portOf(app, 1) };
  return { app, admin, target: { port: portOf(app) } };
}

function json(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.body) as Record<string, unknown>;
}

t.test('alive and ready', async (t) => {
  const { app, admin } = await administered(t);
  t.match(await get(admin, '/livez'), { status: 200, headers: { 'cache-control': 'no-store' } });
  const ready = await get(admin, '/readyz');
  t.match(ready, { status: 200, headers: { 'content-type': 'application/json' } });
  t.same(json(ready), { ready: true, state: 'serving', checks: {} });
  t.match(await send(admin, { method: 'HEAD', path: '/readyz' }), { status: 200, body: '' });
  t.match(await send(admin, { method: 'POST', path: '/readyz' }), { status: 405, headers: { allow: 'GET, HEAD' } });
  t.equal((await get(admin, '/nothing')).status, 404);

  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  await get(admin, '/readyz', { agent });
  const stopped = app.stop();
  const answer = await get(admin, '/readyz', { agent });
  t.equal(answer.status, 503, 'not any more when it stops');
  t.match(json(answer), { ready: false, state: 'draining' });
  await stopped;
});

t.test('not ready while it starts', async (t) => {
  const app = makeApp(t);
  const server = http.createServer(health(app)).listen(0, '127.0.0.1');
  t.teardown(() => server.close());
  await waitUntil('a port', () => server.listening);
  const target = { port: (server.address() as { port: number }).port };
  t.equal((await get(target, '/readyz')).status, 503);
  t.equal((await get(target, '/livez')).status, 200);
  await app.serve({ server: http.createServer(), listen: '127.0.0.1:0' });
  t.equal((await get(target, '/readyz')).status, 200);
});

t.test('checks', async (t) => {
  let runs = 0;
  let aborted = false;
  const good = async (): Promise<void> => {
    runs += 1;
    await sleep(20);
  };
  const checks = {
    good,
    throws: () => {
      throw new Error('no disk');
    },
    rejects: () => Promise.reject(new Error('no database')),
    hangs: (signal: AbortSignal) =>
      new Promise(() => {
        signal.addEventListener('abort', () => {
          aborted = true;
        });
      }),
  };
  const { app, admin } = await administered(t, { checks, checkTimeout: 100 });
  const answer = await get(admin, '/readyz');
  t.equal(answer.status, 503);
  t.match(json(answer), {
    ready: false,
    checks: {
      good: { ok: true },
      throws: { ok: false, error: 'no disk' },
      rejects: { ok: false, error: 'no database' },
      hangs: { ok: false, error: 'timed out after 100 ms' },
    },
  });
  t.ok(aborted, 'what hangs is told');
  runs = 0;
  await Promise.all(Array.from({ length: 10 }, () => get(admin, '/readyz')));
  t.ok(runs < 10, `${runs} runs for ten probers`);
  await app.stop();

  const healthy = await administered(t, { checks: { good } });
  t.equal((await get(healthy.admin, '/readyz')).status, 200);
});

t.test('status', async (t) => {
  const { admin, target } = await administered(t);
  const slow = [get(target, '/?ms=500'), get(target, '/?ms=500')];
  await waitUntil('requests', async () => {
    const servers = json(await get(admin, '/status'))['servers'] as { inFlight: number }[];
    return servers[0]!.inFlight === 2;
  });
  const found = json(await get(admin, '/status'));
  t.match(found, {
    pid: process.pid,
    generation: 1,
    state: 'serving',
    uptime: Number,
    restartsFailed: 0,
    servers: [
      { name: 'public', address: /^127\.0\.0\.1:\d+$/, origin: 'bound', open: 2, idle: 0, queued: 0, limit: 3, free: 1 },
      { name: 'admin', limit: null, free: null },
    ],
  });
  await Promise.all(slow);
});

t.test('metrics', async (t) => {
  const others = { metrics: () => '# HELP mine Of the program\nmine 1\n' };
  const { admin, target } = await administered(t, { registry: others });
  const slow = get(target, '/?ms=300');
  await waitUntil('a request', async () => {
    const { body } = await get(admin, '/metrics');
    return body.includes('grace_requests_in_flight{server="public"} 1');
  });
  const { status, headers, body } = await get(admin, '/metrics');
  t.equal(status, 200);
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  for (const line of [
    'grace_connections_open{server="public"} 1',
    'grace_connections_idle{server="public"} 0',
    'grace_connections_queued{server="public"} 0',
    'grace_connections_limit{server="public"} 3',
    'grace_connections_limit{server="admin"} +Inf',
    'grace_connections_total{server="public"} 1',
    'grace_connections_refused_total{server="public"} 0',
    'grace_restarts_total{result="succeeded"} 0',
    'grace_restarts_total{result="failed"} 0',
    'grace_drain_seconds_total 0',
    'grace_cut_off_total 0',
    'mine 1',
  ]) {
    t.ok(body.split('\n').includes(line), line);
  }
  await slow;
});

t.test('control', async (t) => {
  const off = await administered(t);
  t.equal((await send(off.admin, { method: 'POST', path: '/restart' })).status, 403, 'off where it is not asked for');
  await off.app.stop();

  const local = await administered(t, { control: true });
  const post = (path: string, headers = {}): Promise<Answer> => send(local.admin, { method: 'POST', path, headers });
  t.same(json(await post('/limit?server=public&limit=10')), { server: 'public', limit: 10, free: 10 });
  t.equal(local.app.servers[0]!.limit(), 10);
  t.same(json(await post('/limit?server=public')), { server: 'public', limit: 10, free: 10 }, 'asks');
  t.same(json(await post('/limit?server=public&limit=none')), { server: 'public', limit: null, free: null });
  for (const limit of ['', '-1', '1.5', 'NaN', 'Infinity', '1e3']) {
    t.equal((await post(`/limit?server=public&limit=${limit}`)).status, 400, `limit=${limit}`);
  }
  t.equal((await post('/limit?server=other&limit=1')).status, 404);
  t.match(await get(local.admin, '/limit?server=public&limit=1'), { status: 405, headers: { allow: 'POST' } });
  t.equal((await post('/limit?server=public', { origin: 'http://example.com' })).status, 403, 'not for web pages');
  await local.app.stop();

  const socket = await administered(t, { control: true }, `unix:${join(scratch(t), 'admin.sock')}`);
  t.equal((await send(socket.admin, { method: 'POST', path: '/limit?server=public' })).status, 200, 'by a unix socket');
  await socket.app.stop();

  const open = await administered(t, { control: true }, ':0');
  t.equal((await send(open.admin, { method: 'POST', path: '/restart' })).status, 403, 'not on a wildcard address');
  await open.app.stop();

  const guarded = await administered(t, { control: true, token: 'secret' }, ':0');
  const tokens: [string | undefined, number][] = [
    [undefined, 401],
    ['Bearer wrong', 401],
    ['Bearer secret2', 401],
    ['secret', 401],
    ['Bearer secret', 200],
  ];
  for (const [authorization, status] of tokens) {
    const headers = authorization === undefined ? {} : { authorization };
    t.equal((await send(guarded.admin, { method: 'POST', path: '/limit?server=public', headers })).status, status, `${authorization}`);
  }
  t.throws(() => health(guarded.app, { token: '' }), { code: 'OPTION_INVALID', subject: 'token' });
  t.throws(() => health(guarded.app, { checkTimeout: -1 }), { code: 'OPTION_INVALID', subject: 'checkTimeout' });
});
