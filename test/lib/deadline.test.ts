import t from 'tap';
import { Deadline } from '../../lib/deadline.js';

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

t.test('work that does not end', async (t) => {
  const deadline = new Deadline(5);
  const start = performance.now();
  t.equal(await deadline.bound(NEVER), 'passed');
  t.ok(performance.now() - start >= 4, 'not before its time');
  t.equal(await deadline.bound(NEVER), 'passed', 'what begins later has no more time');
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
