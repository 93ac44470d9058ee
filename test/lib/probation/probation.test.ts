import t from 'tap';
import { makeApp } from '../../support/app.js';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { anything } from '../../support/properties/values.js';

t.test('a check has to be a function, and its interval a number of milliseconds', async (t) => {
  const { probation } = makeApp(t);
  const check = (): boolean => true;
  probation.healthy(check, { every: 20 })();
  for (const every of [0, -1, NaN, Infinity, '500' as never]) {
    t.throws(() => probation.healthy(check, { every }), { name: 'GraceError', code: 'OPTION_INVALID', subject: 'every', value: every });
  }
  const call = (...args: readonly unknown[]): unknown =>
    unlessRefused(() => probation.healthy(...(args as [typeof check])), 'OPTION_INVALID');
  holds(t, 'anything as check', anything, (value) => void call(value));
  holds(t, 'anything as options', anything, (value) => (call(check, value) as (() => void) | undefined)?.());
});
