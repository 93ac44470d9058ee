import http from 'node:http';
import client from 'prom-client';
import t from 'tap';
import { metrics } from '../../../gracehttp/health/metrics.js';
import { administered } from '../../support/http/administered.js';
import { serveHere } from '../../support/app.js';
import { get } from '../../support/http/client.js';
import { waitUntil } from '../../support/wait.js';

t.test('all metrics of the app are there', async (t) => {
  const { admin, target } = await administered(t);
  const slow = get(target, '/?ms=300');
  await waitUntil('a request', async () => {
    const { body } = await get(admin, '/metrics');
    return body.includes('grace_requests_in_flight{server="public"} 1');
  });
  const { status, headers, body } = await get(admin, '/metrics');
  t.equal(status, 200);
  t.equal(headers['content-type'], client.Registry.PROMETHEUS_CONTENT_TYPE);
  const samples = body.split('\n').filter((line) => line.includes('server="public"') || !/[{#]|^$/.test(line) || line.includes('result='));
  t.strictSame(samples, [
    'grace_generation 1',
    'grace_probation 0',
    'grace_connections_open{server="public"} 1',
    'grace_connections_idle{server="public"} 0',
    'grace_connections_queued{server="public"} 0',
    'grace_connections_limit{server="public"} 3',
    'grace_requests_in_flight{server="public"} 1',
    'grace_connections_total{server="public"} 1',
    'grace_connections_moved_total{server="public"} 0',
    'grace_connections_refused_total{server="public"} 0',
    'grace_restarts_total{result="succeeded"} 0',
    'grace_restarts_total{result="failed"} 0',
    'grace_restarts_total{result="reverted"} 0',
    'grace_drains_total 0',
    'grace_drain_seconds_total 0',
    'grace_cut_off_total 0',
    'grace_lost_total 0',
    'grace_moved_total 0',
  ]);
  t.match(body, 'grace_connections_limit{server="admin"} +Inf\n');
  for (const type of ['grace_connections_open gauge', 'grace_connections_total counter', 'grace_restarts_total counter']) {
    t.match(body, `# TYPE ${type}\n`);
  }
  await slow;
});

t.test('a registry of prom-client is appended, in either of its formats', async (t) => {
  const app = await serveHere(t, {}, { server: http.createServer(), listen: '127.0.0.1:0', name: 'public' });
  const { PROMETHEUS_CONTENT_TYPE, OPENMETRICS_CONTENT_TYPE } = client.Registry;
  for (const contentType of [PROMETHEUS_CONTENT_TYPE, OPENMETRICS_CONTENT_TYPE]) {
    const registry = new client.Registry<client.RegistryContentType>();
    registry.setContentType(contentType);
    new client.Counter({ name: 'mine_total', help: 'Of the program', registers: [registry] }).inc(2);
    const { headers, body } = await metrics(app, registry);
    t.equal(headers?.['Content-Type'], contentType);
    const isOpenMetrics = contentType === OPENMETRICS_CONTENT_TYPE;
    const lines = String(body).split('\n');
    t.ok(lines.includes('mine_total 2'), "the program's own");
    t.ok(lines.includes('grace_connections_open{server="public"} 0'));
    t.ok(lines.includes(`# TYPE grace_drains${isOpenMetrics ? '' : '_total'} counter`), contentType);
    t.equal(String(body).trimEnd().endsWith('\n# EOF'), isOpenMetrics, 'the end');
    const grace = lines.indexOf('grace_moved_total 0');
    t.match(lines[grace + 1], /^# HELP mine/, 'no empty line between the two');
  }
});

t.test('anything with metrics() is appended', async (t) => {
  const { admin } = await administered(t, { registry: { metrics: () => '# HELP mine Of the program\nmine 1\n' } });
  const { headers, body } = await get(admin, '/metrics');
  t.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  t.ok(body.endsWith('\nmine 1\n'));
});

t.test('servers that share a name go by their addresses', async (t) => {
  const entry = (name?: string) => ({ server: http.createServer(), listen: '127.0.0.1:0', ...(name === undefined ? {} : { name }) });
  const app = await serveHere(t, {}, entry('web'), entry('web'), entry('admin'), entry());
  const { body } = await metrics(app, undefined);
  const labels = [...String(body).matchAll(/^grace_connections_open\{server="(.*)"\} 0$/gm)].map(([, label]) => label);
  t.strictSame(labels, [app.addresses[0], app.addresses[1], 'admin', app.addresses[3]]);
});
