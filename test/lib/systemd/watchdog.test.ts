import t from 'tap';
import { keepAwake } from '../../../lib/systemd/watchdog.js';
import { waitUntil } from '../../support/wait.js';

t.test('signs of life, from the start to the end', async (t) => {
  const times: number[] = [];
  const begin = performance.now();
  const stop = keepAwake(40, () => times.push(performance.now() - begin));
  t.equal(times.length, 1, 'at once');
  await waitUntil('three more', () => times.length >= 4);
  stop();
  t.ok(times[3]! >= 3 * 20 - 3, 'half of the time lies between two');
  await new Promise((done) => setTimeout(done, 60));
  t.equal(times.length, 4, 'none after the end');
});

t.test('a timeout longer than timers can be', async (t) => {
  let signs = 0;
  const stop = keepAwake(2 ** 40, () => {
    signs += 1;
  });
  await new Promise((done) => setTimeout(done, 30));
  stop();
  t.equal(signs, 1);
});
