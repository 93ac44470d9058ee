import t from 'tap';
import { HttpConnection } from '../../../gracehttp/http/http-connection.js';
import { shareOfTime, spread } from '../../../gracehttp/http/spread.js';
import { waitUntil } from '../../support/wait.js';

const TIME_MS = 400;
const MANY = 20_000;
const STEPS = 10;

t.test('each connection leaves at some moment, and not before it', async (t) => {
  const connections = Array.from({ length: 200 }, () => new HttpConnection(true));
  const begin = performance.now();
  const leaves = spread(connections, TIME_MS);
  const counts: number[] = [];
  await waitUntil('the time', () => {
    counts.push(connections.filter(leaves).length);
    return performance.now() - begin >= TIME_MS;
  });
  t.ok(counts[0]! < connections.length / 2, `${counts[0]} leave at once`);
  t.ok(
    counts.every((count, index) => index === 0 || count >= counts[index - 1]!),
    'one that has to leave has to leave later too',
  );
  t.equal(connections.filter(leaves).length, connections.length, 'at the end all leave');
  t.equal(leaves(new HttpConnection(true)), true, 'one that comes after the time too');
});

t.test('if every second client comes back and has to leave again, all departures together are spread evenly', async (t) => {
  const steps = Array.from({ length: STEPS }, () => 0);
  for (let client = 0; client < MANY; client += 1) {
    let moment = 0;
    do {
      moment += (1 - moment) * shareOfTime();
      steps[Math.min(STEPS - 1, Math.floor(moment * STEPS))]! += 1;
    } while (Math.random() < 0.5 && moment < 1 - 1 / MANY);
  }
  const mean = steps.reduce((sum, count) => sum + count, 0) / STEPS;
  for (const count of steps) t.ok(count > mean * 0.85 && count < mean * 1.15, steps.join(' '));
});
