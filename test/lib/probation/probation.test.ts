import t from 'tap';
import { Carried } from '../../../lib/inherit/carried.js';
import { readOptions } from '../../../lib/options.js';
import { Probation } from '../../../lib/probation/probation.js';
import { makeApp } from '../../support/app.js';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { anything } from '../../support/properties/values.js';

/** The probation of a first process: there is none. */
function make(): Probation {
  return new Probation({ carried: new Carried(), settings: readOptions({}), giveBack: () => undefined });
}

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

t.test('without a predecessor or successor there is nothing to take back', async (t) => {
  const probation = make();
  probation.begin();
  t.equal(probation.active, false);
  t.equal(await probation.fail('no reason'), false);
  await probation.end();
  probation.removeHandlers();
});

t.test('a process that is debugged is not watched: a debugger stops it for minutes', async (t) => {
  t.equal(make().terms.hang, 5_000);
  const before = process.env['NODE_OPTIONS'];
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  });
  process.env['NODE_OPTIONS'] = '--inspect=0';
  t.equal(make().terms.hang, 0);
});
