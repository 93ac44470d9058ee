import t from 'tap';
import { isPassed, supervisors } from '../../../../gracehttp/auto/cli/supervisors.js';

t.test('what watches this process, by its environment', async (t) => {
  const table: readonly (readonly [variable: string, name: RegExp])[] = [
    ['NOTIFY_SOCKET', /systemd/],
    ['SERVER_STARTER_PORT', /start_server/],
    ['pm_id', /PM2/],
    ['KUBERNETES_SERVICE_HOST', /Kubernetes/],
    ['npm_lifecycle_event', /npm/],
  ];
  const none = supervisors({});
  for (const [variable, name] of table) {
    const [found] = supervisors({ [variable]: '1' }).filter((one) => !none.includes(one));
    t.match(found, name, variable);
  }
});

t.test('a start_server of this package', async (t) => {
  t.notOk(isPassed());
  process.env['SERVER_STARTER_GENERATION'] = '1';
  t.teardown(() => delete process.env['SERVER_STARTER_GENERATION']);
  t.ok(isPassed());
});
