import t from 'tap';
import { Deadline } from '../../lib/deadline.js';
import { runHook } from '../../lib/hook.js';

const LONG_MS = 60_000;

const hooks: readonly (readonly [what: string, hook: () => unknown, failure: string | undefined])[] = [
  ['returns', () => 5, undefined],
  ['returns a promise', () => Promise.resolve(), undefined],
  ['throws', () => { throw new Error('thrown'); }, 'thrown'],
  ['rejects', () => Promise.reject(new Error('rejected')), 'rejected'],
];

for (const [what, hook, failure] of hooks) {
  t.test(`a hook that ${what}`, async (t) => {
    const deadline = new Deadline(LONG_MS);
    t.teardown(() => deadline.clear());
    const run = runHook('onShutdown', hook, deadline);
    if (failure === undefined) await t.resolves(run);
    else await t.rejects(run, { message: failure });
  });
}

t.test('a hook is waited for', async (t) => {
  const deadline = new Deadline(LONG_MS);
  t.teardown(() => deadline.clear());
  let over = false;
  await runHook('onShutdown', async () => {
    await new Promise((done) => setTimeout(done, 10));
    over = true;
  }, deadline);
  t.ok(over);
});

t.test('a hook that is at work at the deadline is named', async (t) => {
  await t.rejects(runHook('beforeRestart', () => new Promise(() => undefined), new Deadline(5)), {
    message: 'beforeRestart was still at work at the deadline',
  });
});

t.test('a hook that does its work at once is in time even after the deadline', async (t) => {
  const deadline = new Deadline(0);
  await deadline.passed;
  await t.resolves(runHook('onShutdown', () => undefined, deadline));
  await t.rejects(runHook('onShutdown', () => Promise.reject(new Error('its own')), deadline), { message: 'its own' });
});
