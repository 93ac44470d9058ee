import t from 'tap';
import { Restarter } from '../../../lib/handoff/restarter.js';

/** Attempts that end when the test says so. */
class Attempts {
  readonly running: { readonly succeed: (result: string) => void; readonly fail: (error: Error) => void }[] = [];
  readonly handedOn: [result: string, again: boolean][] = [];
  readonly restarter = new Restarter<string>(
    () => new Promise((succeed, fail) => this.running.push({ succeed, fail })),
    (result, again) => this.handedOn.push([result, again]),
  );
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

t.test('a restart that works is handed on', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  const result = restarter.request();
  t.equal(running.length, 1, 'starts at once');
  running[0]!.succeed('a');
  t.equal(await result, 'a');
  t.strictSame(handedOn, [['a', false]]);
});

t.test('a hundred wishes while one runs', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  const wishes = Array.from({ length: 100 }, () => restarter.request());
  t.equal(running.length, 1, 'one at a time');
  running[0]!.succeed('a');
  t.strictSame(new Set(await Promise.all(wishes)), new Set(['a']), 'all get the one that runs');
  await turn();
  t.strictSame(handedOn, [['a', true]], 'the successor is the one to restart again');
  t.equal(running.length, 1, 'not this process');
});

t.test('whoever asks after a success gets it', async (t) => {
  const { restarter, running } = new Attempts();
  const first = restarter.request();
  running[0]!.succeed('a');
  await first;
  t.equal(await restarter.request(), 'a');
  t.equal(running.length, 1);
});

t.test('a failure is told, and the next wish starts anew', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  const first = restarter.request();
  running[0]!.fail(new Error('no'));
  await t.rejects(first, { message: 'no' });
  await turn();
  t.equal(running.length, 1, 'nobody asked for more');
  const second = restarter.request();
  t.equal(running.length, 2);
  running[1]!.succeed('b');
  t.equal(await second, 'b');
  t.strictSame(handedOn, [['b', false]]);
});

t.test('a failure after more wishes is followed by one more attempt, not by two', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  const wishes = [restarter.request(), restarter.request(), restarter.request()];
  running[0]!.fail(new Error('no'));
  for (const { status } of await Promise.allSettled(wishes)) t.equal(status, 'rejected');
  await turn();
  t.equal(running.length, 2, 'one more');
  running[1]!.fail(new Error('no again'));
  await turn();
  t.equal(running.length, 2, 'and no other');
  t.strictSame(handedOn, []);
});

t.test('a wish while the one more runs makes one more', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  void restarter.request().catch(() => undefined);
  void restarter.request().catch(() => undefined);
  running[0]!.fail(new Error('no'));
  await turn();
  const third = restarter.request();
  running[1]!.succeed('b');
  t.equal(await third, 'b');
  t.strictSame(handedOn, [['b', true]]);
});

t.test('cancel forgets the one more', async (t) => {
  for (const end of ['succeed', 'fail'] as const) {
    const { restarter, running, handedOn } = new Attempts();
    const wishes = [restarter.request(), restarter.request()];
    restarter.cancel();
    if (end === 'succeed') running[0]!.succeed('a');
    else running[0]!.fail(new Error('no'));
    await Promise.allSettled(wishes);
    await turn();
    t.equal(running.length, 1, `no attempt after a ${end}`);
    t.strictSame(handedOn, end === 'succeed' ? [['a', false]] : []);
  }
});
