import t from 'tap';
import { readProbation } from '../../../lib/probation/probation-options.js';
import { fails } from '../../support/errors.js';

t.test('a time, an object, or nothing', async (t) => {
  t.strictSame(readProbation(), { time: 5_000, hangTimeout: 5_000 });
  t.strictSame(readProbation(undefined), { time: 5_000, hangTimeout: 5_000 });
  t.strictSame(readProbation(0), { time: 0, hangTimeout: 5_000 });
  t.strictSame(readProbation({}), { time: 5_000, hangTimeout: 5_000 });
  t.strictSame(readProbation({ time: 7, hangTimeout: 0 }), { time: 7, hangTimeout: 0 });
});

t.test('what is wrong is named', async (t) => {
  const wrong: readonly (readonly [subject: string, options: unknown, value: unknown])[] = [
    ['probation', -1, -1],
    ['probation', '5s', '5s'],
    ['probation', null, null],
    ['probation', true, true],
    ['probation.time', { time: 1.5 }, 1.5],
    ['probation.hangTimeout', { hangTimeout: -1 }, -1],
    ['probation.hang', { hang: 5 }, 5],
  ];
  for (const [subject, options, value] of wrong) {
    await fails(t, () => readProbation(options as number), { code: 'OPTION_INVALID', subject, value }, JSON.stringify(options));
  }
});
