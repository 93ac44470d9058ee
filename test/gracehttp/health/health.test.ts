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
  for (const path of ['/nothing', '/', '/toString', '/livez/', '//', '///', '//livez', '//:99999/', '/\\\\', '*', 'http://h:99999/'])
    t.equal((await get(admin, path)).status, 404, path);
});

t.test('an error is answered with 500', async (t) => {
  const { admin } = await administered(t, { registry: { metrics: () => Promise.reject(new Error('no metrics')) } });
  t.match(await get(admin, '/metrics'), { status: 500, body: /no metrics/ });
});

t.test('a registry in OpenMetrics format brings its own content type', async (t) => {
  const contentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8';
  const { admin } = await administered(t, { registry: { metrics: () => '# EOF\n', contentType } });
  t.match(await get(admin, '/metrics'), { status: 200, headers: { 'content-type': contentType }, body: /# EOF\n$/ });
});

t.test('invalid options', async (t) => {
  const app = makeApp(t);
  t.throws(() => health(app, { token: '' }), { code: 'OPTION_INVALID', subject: 'token' });
  t.throws(() => health(app, { checkTimout: 1 } as never), { code: 'OPTION_INVALID', message: 'did you mean checkTimeout?' });
  t.throws(() => health(app, { checkTimeout: -1 }), { code: 'OPTION_INVALID', subject: 'checkTimeout' });
});
