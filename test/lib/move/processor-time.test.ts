import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { ProcessorTime } from '../../../lib/move/processor-time.js';

const BUSY_MS = 20;

function compute(milliseconds: number): void {
  const { user } = process.cpuUsage();
  while (process.cpuUsage().user - user < milliseconds * 1_000);
}

t.test('counts what is computed from one message to the next, in timers too', async (t) => {
  const time = new ProcessorTime();
  await new Promise<void>((done) => {
    setTimeout(() => {
      compute(BUSY_MS);
      done();
    }, 1);
  });
  time.measure();
  t.ok(time.average >= BUSY_MS, `${time.average} ms`);
});

t.test('does not count the time in which the process waits', async (t) => {
  const time = new ProcessorTime();
  await sleep(500);
  time.measure();
  t.ok(time.average < 250, `${time.average} ms`);
});

t.test('rises at once, and falls slowly', (t) => {
  const time = new ProcessorTime();
  compute(BUSY_MS);
  time.measure();
  time.measure();
  t.ok(time.average >= BUSY_MS / 2, `${time.average} ms after one short turn`);
  for (let nth = 0; nth < 20; nth += 1) time.measure();
  t.ok(time.average < BUSY_MS / 2, `${time.average} ms after twenty`);
  t.end();
});
