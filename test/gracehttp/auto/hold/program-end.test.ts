import t, { type Test } from 'tap';
import { ProgramEnd } from '../../../../gracehttp/auto/hold/program-end.js';
import { waitUntil } from '../../../support/wait.js';

const DRAIN_MS = 4_000;
/** A handler that returns nothing has two seconds to ask for its exit. */
const ASKS_WITHIN_MS = 2_000;

/** The end of a program with this handler, of a signal that nobody sends. */
function endOf(t: Test, handler?: () => unknown, drainTimeout = DRAIN_MS): ProgramEnd {
  if (handler !== undefined) {
    process.on('SIGWINCH', handler);
    t.teardown(() => process.off('SIGWINCH', handler));
  }
  const end = new ProgramEnd(() => drainTimeout);
  end.begin('SIGWINCH');
  return end;
}

async function timeOf(promise: Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await promise;
  return performance.now() - begin;
}

t.test('the exit code', async (t) => {
  const table: readonly (readonly [what: string, asked: readonly number[], own: number, reason: 'stop' | 'handover', code: number])[] = [
    ['nothing asked', [], 0, 'stop', 0],
    ['asked for 3', [3], 0, 'stop', 3],
    ['the first one counts', [3, 4], 0, 'stop', 3],
    ['0 was asked for, and something was cut off', [0], 1, 'stop', 1],
    ['3 was asked for, and something was cut off', [3], 1, 'stop', 3],
    ['a second signal', [3], 143, 'stop', 143],
    ['after a restart', [3], 0, 'handover', 0],
    ['128 and the number of the signal', [156], 0, 'stop', 0],
    ['that of another signal', [143], 0, 'stop', 143],
  ];
  for (const [what, asked, own, reason, code] of table) {
    const end = endOf(t);
    asked.forEach((one) => end.ask(one));
    t.equal(end.codeFor(own, reason), code, what);
  }
});

t.test('process.exitCode counts if nothing was asked for', async (t) => {
  const end = endOf(t);
  t.teardown(() => (process.exitCode = undefined));
  process.exitCode = 7;
  t.equal(end.codeFor(0, 'stop'), 7);
});

t.test('handlers run once, with the signal and its number', async (t) => {
  const calls: unknown[][] = [];
  const end = endOf(t, (...args: unknown[]) => calls.push(args));
  end.run('SIGWINCH');
  end.run('SIGWINCH');
  t.strictSame(calls, [['SIGWINCH', 28]]);
});

t.test('done: at once without handlers', async (t) => {
  t.ok((await timeOf(endOf(t).done())) < ASKS_WITHIN_MS);
});

t.test('done: a handler that returns nothing has two seconds to ask for the exit', async (t) => {
  const silent = await timeOf(endOf(t, () => undefined).done());
  t.ok(silent >= ASKS_WITHIN_MS - 5, `${silent} ms`);
});

t.test('done: when the exit is asked for', async (t) => {
  let finished = false;
  const end = endOf(t, () => new Promise(() => undefined));
  void end.done().then(() => (finished = true));
  await new Promise((done) => setImmediate(done));
  t.notOk(finished, 'it waits for the promise of the handler');
  end.ask(0);
  await waitUntil('the end', () => finished);
});

t.test('done: a handler that takes too long is left alone before the deadline', async (t) => {
  const took = await timeOf(endOf(t, () => new Promise(() => undefined), 1_500).done());
  t.ok(took > 1_000 && took < 1_500 + ASKS_WITHIN_MS, `${took} ms`);
});

t.test('done: a promise that rejects is a warning', async (t) => {
  const end = endOf(t, () => Promise.reject(new Error('no database')));
  end.ask(0);
  await end.done();
  t.pass('it does not reject');
});
