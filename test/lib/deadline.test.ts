import t from 'tap';
import { Deadline, formatTime } from '../../lib/deadline.js';

const NEVER = new Promise<never>(() => undefined);
const LONG_MS = 60_000;

t.test('work that ends before the deadline', async (t) => {
  const deadline = new Deadline(LONG_MS);
  t.teardown(() => deadline.clear());
  t.equal(await deadline.bound(Promise.resolve('done')), 'done');
});

t.test('work that fails before the deadline', async (t) => {
  const deadline = new Deadline(LONG_MS);
  t.teardown(() => deadline.clear());
  await t.rejects(deadline.bound(Promise.reject(new Error('no'))), { message: 'no' });
});

t.test('work that does not end in time', async (t) => {
  const deadline = new Deadline(5);
  const start = performance.now();
  t.equal(await deadline.bound(NEVER), 'passed');
  t.ok(performance.now() - start >= 4, 'not too early');
  t.equal(await deadline.bound(NEVER), 'passed', 'work that begins after the deadline has no time');
  t.equal(await deadline.passed, 'passed');
});

t.test('a deadline that is cleared does not pass, and does not hold the process', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const deadline = new Deadline(5);
  deadline.clear();
  deadline.clear();
  t.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before);
  const later = new Promise((done) => setTimeout(() => done('later'), 20));
  t.equal(await Promise.race([deadline.passed, later]), 'later');
});

const hooks: readonly (readonly [what: string, hook: () => unknown, failure: string | undefined])[] = [
  ['returns', () => 5, undefined],
  ['returns a promise', () => Promise.resolve(), undefined],
  [
    'throws',
    () => {
      throw new Error('thrown');
    },
    'thrown',
  ],
  ['rejects', () => Promise.reject(new Error('rejected')), 'rejected'],
];

for (const [what, hook, failure] of hooks) {
  t.test(`a hook that ${what}`, async (t) => {
    const deadline = new Deadline(LONG_MS);
    t.teardown(() => deadline.clear());
    const run = deadline.runHook('onShutdown', hook);
    if (failure === undefined) await t.resolves(run);
    else await t.rejects(run, { message: failure });
  });
}

t.test('runHook waits for the hook', async (t) => {
  const deadline = new Deadline(LONG_MS);
  t.teardown(() => deadline.clear());
  let over = false;
  await deadline.runHook('onShutdown', async () => {
    await new Promise((done) => setTimeout(done, 10));
    over = true;
  });
  t.ok(over);
});

t.test('a hook that has not finished at the deadline is an error with its name', async (t) => {
  await t.rejects(
    new Deadline(5).runHook('beforeRestart', () => NEVER),
    {
      message: 'beforeRestart did not finish before the deadline',
    },
  );
});

t.test('a hook that finishes at once is on time, even after the deadline', async (t) => {
  const deadline = new Deadline(0);
  await deadline.passed;
  await t.resolves(deadline.runHook('onShutdown', () => undefined));
  await t.rejects(
    deadline.runHook('onShutdown', () => Promise.reject(new Error('its own'))),
    { message: 'its own' },
  );
});

t.test('a time in a message', async (t) => {
  const table = [
    [0, '0 ms'],
    [400.4, '400 ms'],
    [999, '999 ms'],
    [1_000, '1 s'],
    [1_449, '1.4 s'],
    [1_500, '1.5 s'],
    [30_000, '30 s'],
  ] as const;
  for (const [milliseconds, text] of table) t.equal(formatTime(milliseconds), text);
});

t.test('a deadline that is shortened can be shortened again, and never becomes longer', async (t) => {
  const deadline = new Deadline(LONG_MS);
  t.teardown(() => deadline.clear());
  const begin = performance.now();
  deadline.shorten(LONG_MS / 2);
  deadline.shorten(20);
  deadline.shorten(LONG_MS / 4);
  t.ok(deadline.limit < LONG_MS / 4, `${deadline.limit} ms`);
  await deadline.passed;
  t.ok(performance.now() - begin < LONG_MS / 4);
});
