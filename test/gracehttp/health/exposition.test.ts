import t from 'tap';
import { type MetricFamily, writeMetrics } from '../../../gracehttp/health/exposition.js';

const FAMILIES: readonly MetricFamily[] = [
  {
    name: 'open',
    type: 'gauge',
    help: 'Back\\slash, "quote", line\nfeed',
    samples: [
      { labels: { server: 'back\\slash', kind: 'x' }, value: 1.5 },
      { labels: { server: '"quote"' }, value: Infinity },
      { labels: { server: 'line\nfeed' }, value: -Infinity },
      { labels: { server: '' }, value: NaN },
    ],
  },
  { name: 'requests_total', type: 'counter', help: 'Requests', samples: [{ labels: {}, value: 0 }] },
  { name: 'none', type: 'gauge', help: 'No sample', samples: [] },
];

t.test('Prometheus text: labels, help and numbers are escaped', async (t) => {
  t.strictSame(writeMetrics(FAMILIES).split('\n'), [
    '# HELP open Back\\\\slash, "quote", line\\nfeed',
    '# TYPE open gauge',
    'open{server="back\\\\slash",kind="x"} 1.5',
    'open{server="\\"quote\\""} +Inf',
    'open{server="line\\nfeed"} -Inf',
    'open{server=""} NaN',
    '# HELP requests_total Requests',
    '# TYPE requests_total counter',
    'requests_total 0',
    '# HELP none No sample',
    '# TYPE none gauge',
    '',
  ]);
});

t.test('OpenMetrics: the family of a counter has no _total, and quotes in help are escaped', async (t) => {
  const lines = writeMetrics(FAMILIES, 'openmetrics').split('\n');
  t.strictSame(lines.slice(0, 2), ['# HELP open Back\\\\slash, \\"quote\\", line\\nfeed', '# TYPE open gauge']);
  t.strictSame(lines.slice(6, 9), ['# HELP requests Requests', '# TYPE requests counter', 'requests_total 0']);
});
