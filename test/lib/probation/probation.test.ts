import t from 'tap';
import { Carried } from '../../../lib/inherit/carried.js';
import { readOptions } from '../../../lib/options.js';
import { Probation } from '../../../lib/probation/probation.js';
import { fails } from '../../support/errors.js';

/** The probation of a first process: there is none. */
function make(): Probation {
  return new Probation({ carried: new Carried(), settings: readOptions({}), giveBack: () => undefined });
}

t.test('without a predecessor or successor there is nothing to take back', async (t) => {
  const probation = make();
  probation.begin();
  t.equal(probation.active, false);
  t.equal(await probation.fail('no reason'), false);
  await probation.end();
  probation.removeHandlers();
});

t.test('a check and its options', async (t) => {
  const probation = make();
  const check = (): boolean => true;
  await fails(t, () => probation.healthy('yes' as never), { code: 'OPTION_INVALID', subject: 'check', value: 'yes' }, 'no function');
  for (const every of [0, -1, 1.5, '5', Infinity]) {
    const facts = { code: 'OPTION_INVALID', subject: 'every', value: every } as const;
    await fails(t, () => probation.healthy(check, { every: every as number }), facts, `every ${every}`);
  }
  await fails(t, () => probation.healthy(check, { often: 5 } as never), { code: 'OPTION_INVALID', subject: 'often', value: 5 }, 'often');
  const stop = probation.healthy(() => t.fail('called without probation'), { every: 1 });
  await new Promise((done) => setTimeout(done, 20));
  stop();
  probation.removeHandlers();
});

t.test('a process that is debugged is not watched: a debugger stops it for minutes', async (t) => {
  t.equal(make().terms.hang, 2_000);
  const before = process.env['NODE_OPTIONS'];
  t.teardown(() => {
    if (before === undefined) delete process.env['NODE_OPTIONS'];
    else process.env['NODE_OPTIONS'] = before;
  });
  process.env['NODE_OPTIONS'] = '--inspect=0';
  t.equal(make().terms.hang, 0);
});
