import t from 'tap';
import { type RecycleOptions, readRecycle } from '../../../lib/lifetime/lifetime-options.js';
import { fails } from '../../support/errors.js';

t.test('defaults', async (t) => {
  t.equal(readRecycle(undefined), undefined);
  const defaults = { rss: 0, age: 0, eventLoopDelay: 0, jitter: 0.1, minInterval: 60_000, interval: 1_000 };
  t.strictSame(readRecycle({ rss: 5 }), { ...defaults, rss: 5 });
  t.strictSame(readRecycle({ age: 5, jitter: 1 }), { ...defaults, age: 5, jitter: 1 });
});

t.test('what is wrong is named', async (t) => {
  const wrong: readonly (readonly [subject: string, options: unknown, value: unknown])[] = [
    ['recycle', null, null],
    ['recycle', 5, 5],
    ['recycle', {}, {}],
    ['recycle', { jitter: 0.5 }, { jitter: 0.5 }],
    ['recycle.rss', { rss: '1G' }, '1G'],
    ['recycle.rss', { rss: -1 }, -1],
    ['recycle.age', { age: 0.5 }, 0.5],
    ['recycle.eventLoopDelay', { eventLoopDelay: Infinity }, Infinity],
    ['recycle.jitter', { age: 1, jitter: 2 }, 2],
    ['recycle.jitter', { age: 1, jitter: Number.NaN }, Number.NaN],
    ['recycle.minInterval', { age: 1, minInterval: -1 }, -1],
    ['recycle.interval', { age: 1, interval: 1 }, 1],
    ['recycle.memory', { memory: 5 }, 5],
  ];
  for (const [subject, options, value] of wrong) {
    await fails(t, () => readRecycle(options as RecycleOptions), { code: 'OPTION_INVALID', subject, value }, JSON.stringify(options));
  }
});
