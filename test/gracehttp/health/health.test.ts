import t from 'tap';
import { health } from '../../../gracehttp/health/health.js';
import { administered } from '../../support/http/administered.js';
import { makeApp } from '../../support/app.js';
import { get, send } from '../../support/http/client.js';

t.test('paths and methods', async (t) => {
  const { admin } = await administered(t);
  t.match(await get(admin, '/livez'), { status: 200, headers: { 'cache-control': 'no-store' } });
  t.match(await send(admin, { method: 'HEAD', path: '/readyz' }), { status: 200, body: '' });
  t.match(await send(admin, { method: 'POST', path: '/readyz' }), { status: 405, headers: { allow: 'GET, HEAD' } });
  for (const path of ['/nothing', '/', '/toString', '/livez/']) t.equal((await get(admin, path)).status, 404, path);
});

t.test('an error is answered with 500', async (t) => {
  const { admin } = await administered(t, { registry: { metrics: () => Promise.reject(new Error('no metrics')) } });
  t.match(await get(admin, '/metrics'), { status: 500, body: /no metrics/ });
});

t.test('invalid options', async (t) => {
  const app = makeApp(t);
  t.throws(() => health(app, { token: '' }), { code: 'OPTION_INVALID', subject: 'token' });
  t.throws(() => health(app, { checkTimeout: -1 }), { code: 'OPTION_INVALID', subject: 'checkTimeout' });
});
