import { EventEmitter } from 'node:events';
import t, { type Test } from 'tap';
import { GraceError } from '../../../lib/errors.js';
import { type GraceEvents } from '../../../lib/events.js';
import { type RecycleOptions, readRecycle } from '../../../lib/lifetime/lifetime-options.js';
import { type Recycled, recycle } from '../../../lib/lifetime/recycle.js';
import { waitUntil } from '../../support/wait.js';

/** A process that only counts its restarts. Each one fails, so it lives on. */
class Process extends EventEmitter<GraceEvents> implements Recycled {
  state = 'serving' as const;
  restarts = 0;

  async restart(): Promise<never> {
    this.restarts += 1;
    throw new GraceError('RESTART_FAILED', 'no');
  }
}

function begin(t: Test, options: RecycleOptions): Process {
  const process = new Process();
  t.teardown(recycle(process, readRecycle({ interval: 10, minInterval: 0, jitter: 0, ...options })!));
  return process;
}

const pause = (milliseconds: number): Promise<void> => new Promise((done) => setTimeout(done, milliseconds));

t.test('memory, and age', async (t) => {
  const large = begin(t, { rss: 1 });
  await waitUntil('a restart', () => large.restarts > 0);
  const old = begin(t, { age: 50 });
  t.equal(old.restarts, 0);
  await waitUntil('a restart', () => old.restarts > 0);
  const fine = begin(t, { rss: Number.MAX_SAFE_INTEGER, age: 60_000 });
  await pause(100);
  t.equal(fine.restarts, 0);
});

t.test('minInterval: neither soon after the start, nor soon after an attempt that failed', async (t) => {
  const process = begin(t, { rss: 1, minInterval: 300 });
  await pause(100);
  t.equal(process.restarts, 0);
  const begun = performance.now();
  await waitUntil('two restarts', () => process.restarts >= 2);
  t.ok(performance.now() - begun >= 400);
});

t.test('an event loop that is idle has no delay, and a busy one has', async (t) => {
  // A machine that is busy delays the event loop of this test too.
  const process = begin(t, { eventLoopDelay: 40, interval: 300 });
  await pause(1_000);
  t.equal(process.restarts, 0);
  const busy = setInterval(() => {
    const end = performance.now() + 120;
    while (performance.now() < end);
  }, 1);
  t.teardown(() => clearInterval(busy));
  await waitUntil('a restart', () => process.restarts > 0);
});
