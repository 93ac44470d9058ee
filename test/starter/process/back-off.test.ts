import t from 'tap';
import { BackOff } from '../../../starter/process/back-off.js';

t.test('at once, then doubles up to the maximum, and at once again after a reset', async (t) => {
  const backOff = new BackOff(1_000, 60_000);
  const delays = Array.from({ length: 9 }, () => backOff.next());
  t.same(delays, [0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  backOff.reset();
  t.same([backOff.next(), backOff.next()], [0, 1_000]);
});

t.test('an interval of 0 grows too, and one above the maximum is cut', async (t) => {
  const short = new BackOff(0, 60_000);
  t.same([short.next(), short.next(), short.next()], [0, 1, 2]);
  const long = new BackOff(90_000, 60_000);
  t.same([long.next(), long.next(), long.next()], [0, 60_000, 60_000]);
});
