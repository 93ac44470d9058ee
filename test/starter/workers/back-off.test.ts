import t from 'tap';
import { BackOff } from '../../../starter/workers/back-off.js';

t.test('doubles up to the maximum, and starts again after a reset', async (t) => {
  const backOff = new BackOff(1_000, 60_000);
  t.same(Array.from({ length: 8 }, () => backOff.next()), [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  backOff.reset();
  t.equal(backOff.next(), 1_000);
});

t.test('from an interval of 0', async (t) => {
  const backOff = new BackOff(0, 60_000);
  t.same([backOff.next(), backOff.next(), backOff.next()], [0, 2, 4]);
});
