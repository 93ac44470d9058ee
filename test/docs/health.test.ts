import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT, readSource } from '../support/sources.js';

const PAGE = readFileSync(join(ROOT, 'docs/health.md'), 'utf8');

t.test('docs/health.md has each metric, with its type', async (t) => {
  const source = readSource('gracehttp/health/metrics.ts');
  const gauges = [...source.matchAll(/(?:\['|name: ')(grace_\w+)'(?:,| ,)?\s*(?:type: )?'(gauge|counter)'/g)].map(
    ([, name, type]) => `${name} ${type}`,
  );
  const counters = [...source.matchAll(/counter\('(grace_\w+)'/g)].map(([, name]) => `${name} counter`);
  const rows = [...PAGE.matchAll(/^\| `(grace_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
  t.ok(rows.length > 14);
  t.strictSame(rows.sort(), [...gauges, ...counters].sort());
});

t.test('docs/health.md has each path', async (t) => {
  const paths = [...readSource('gracehttp/health/health.ts').matchAll(/^ +'(\/\w+)': /gm)].map(([, path]) => path!);
  t.ok(paths.length > 6);
  t.strictSame(
    paths.filter((path) => !new RegExp(`^\\| \`(GET|POST) ${path}[\`?]`, 'm').test(PAGE)),
    [],
  );
});
