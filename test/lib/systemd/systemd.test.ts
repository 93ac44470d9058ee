import t from 'tap';
import { keepAwake } from '../../../lib/systemd/systemd.js';
import { waitUntil } from '../../support/wait.js';

t.test('keepAwake gives signs of life until it is stopped', async (t) => {
  const times: number[] = [];
  const begin = performance.now();
  const stop = keepAwake(40, () => times.push(performance.now() - begin));
  t.equal(times.length, 1, 'at once');
  await waitUntil('three more', () => times.length >= 4);
  stop();
  t.ok(times[3]! >= 3 * 20 - 3, 'half of the timeout is between two');
  await new Promise((done) => setTimeout(done, 60));
  t.equal(times.length, 4, 'none after the stop');
});

t.test('a timeout longer than setInterval() can take', async (t) => {
  let signs = 0;
  const stop = keepAwake(2 ** 40, () => {
    signs += 1;
  });
  await new Promise((done) => setTimeout(done, 30));
  stop();
  t.equal(signs, 1);
});
