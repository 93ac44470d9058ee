import fc from 'fast-check';
import t from 'tap';
import { type Warmup, type WarmupRequest, readRequest, readWarmup } from '../../../gracehttp/warmup/warmup-options.js';
import { fails } from '../../support/errors.js';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { anything } from '../../support/properties/values.js';

const DEFAULTS = { requests: [], run: undefined, times: 20, timeout: 2_000, required: false };

t.test('a list, a function, or an object', async (t) => {
  const run = (): void => undefined;
  t.strictSame(readWarmup(['/', { path: '/items', method: 'POST' }]), {
    ...DEFAULTS,
    requests: [{ path: '/' }, { path: '/items', method: 'POST' }],
  });
  t.strictSame(readWarmup(run), { ...DEFAULTS, run });
  t.strictSame(readWarmup({ paths: ['/'], run, times: 3, timeout: 5, required: true }), {
    requests: [{ path: '/' }],
    run,
    times: 3,
    timeout: 5,
    required: true,
  });
});

t.test('what is wrong is named', async (t) => {
  const wrong: readonly (readonly [subject: string, warmup: unknown, value: unknown])[] = [
    ['warmup', null, null],
    ['warmup', '/', '/'],
    ['warmup', {}, {}],
    ['warmup', [], []],
    ['warmup.paths', { paths: '/' }, '/'],
    ['warmup.paths', ['items'], 'items'],
    ['warmup.paths', [{ method: 'GET' }], undefined],
    ['warmup.paths', [5], 5],
    ['warmup.paths.url', [{ path: '/', url: '/' }], '/'],
    ['warmup.run', { run: '/' }, '/'],
    ['warmup.times', { paths: ['/'], times: 0 }, 0],
    ['warmup.times', { paths: ['/'], times: 1e9 }, 1e9],
    ['warmup.timeout', { paths: ['/'], timeout: -1 }, -1],
    ['warmup.required', { paths: ['/'], required: 'yes' }, 'yes'],
    ['warmup.path', { path: '/' }, '/'],
  ];
  for (const [subject, warmup, value] of wrong) {
    await fails(t, () => readWarmup(warmup as Warmup), { code: 'OPTION_INVALID', subject, value }, JSON.stringify(warmup));
  }
  await fails(
    t,
    () => readRequest(null as unknown as WarmupRequest),
    { code: 'OPTION_INVALID', subject: 'warmup.paths', value: null },
    'null',
  );
});

t.test('every other value is refused', async (t) => {
  const options = fc.dictionary(fc.constantFrom('paths', 'run', 'times', 'timeout', 'required'), anything);
  for (const values of [anything, options, fc.array(anything)]) {
    holds(t, 'values', values, (value) => void unlessRefused(() => readWarmup(value as Warmup), 'OPTION_INVALID'));
  }
});
