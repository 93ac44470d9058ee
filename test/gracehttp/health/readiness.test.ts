import http from 'node:http';
import t from 'tap';
import { health } from '../../../gracehttp/health/health.js';
import { administered, json } from '../../support/http/administered.js';
import { makeApp } from '../../support/app.js';
import { get } from '../../support/http/client.js';
import { waitUntil } from '../../support/wait.js';

t.test('ready while it serves, and not when it stops', async (t) => {
  const { app, admin } = await administered(t);
  const ready = await get(admin, '/readyz');
  t.match(ready, { status: 200, headers: { 'content-type': 'application/json' } });
  t.same(json(ready), { ready: true, state: 'serving', checks: {} });

  const agent = new http.Agent({ keepAlive: true });
  t.teardown(() => agent.destroy());
  await get(admin, '/readyz', { agent });
  const stopped = app.stop();
  const answer = await get(admin, '/readyz', { agent });
  t.equal(answer.status, 503, 'stopping');
  t.match(json(answer), { ready: false, state: 'draining' });
  await stopped;
});

t.test('alive and not ready while it starts', async (t) => {
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
