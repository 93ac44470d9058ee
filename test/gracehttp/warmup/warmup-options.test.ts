import t from 'tap';
import { type Warmup, readWarmup } from '../../../gracehttp/warmup/warmup-options.js';
import fc from 'fast-check';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { anything } from '../../support/properties/values.js';

t.test('what a warm-up may be', async (t) => {
  const run = (): void => undefined;
  t.match(readWarmup(run), { run, requests: [], times: 20, timeout: 2_000, required: false });
  t.match(readWarmup(['/', { path: '/a', method: 'POST' }]), { requests: [{ path: '/' }, { path: '/a', method: 'POST' }] });
  t.throws(() => readWarmup({ paths: ['a'] }), { code: 'OPTION_INVALID', subject: 'warmup.paths', value: 'a' });
  t.throws(() => readWarmup({}), { code: 'OPTION_INVALID', subject: 'warmup' });
});

t.test('every other value is refused', async (t) => {
  const options = fc.dictionary(fc.constantFrom('paths', 'run', 'times', 'timeout', 'required'), anything);
  for (const values of [anything, options, fc.array(anything)]) {
    holds(t, 'values', values, (value) => void unlessRefused(() => readWarmup(value as Warmup), 'OPTION_INVALID'));
  }
});
