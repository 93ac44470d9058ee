import t from 'tap';
import { Restarter } from '../../../lib/handoff/restarter.js';

/** Attempts that the test ends. */
class Attempts {
  readonly running: { readonly succeed: (result: string) => void; readonly fail: (error: Error) => void }[] = [];
  readonly handedOn: [result: string, again: boolean][] = [];
  readonly restarter = new Restarter<string>(
    () => new Promise((succeed, fail) => this.running.push({ succeed, fail })),
    (result, again) => this.handedOn.push([result, again]),
  );
}

const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

t.test('the result of a restart is handed on', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  const result = restarter.request();
  t.equal(running.length, 1, 'starts at once');
  running[0]!.succeed('a');
  t.equal(await result, 'a');
  t.strictSame(handedOn, [['a', false]]);
});

t.test('a hundred requests during a restart', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  const requests = Array.from({ length: 100 }, () => restarter.request());
  t.equal(running.length, 1, 'one at a time');
  running[0]!.succeed('a');
  t.strictSame(new Set(await Promise.all(requests)), new Set(['a']), 'all get the running one');
  await turn();
  t.strictSame(handedOn, [['a', true]], 'the successor has to restart again');
  t.equal(running.length, 1, 'not this process');
});

t.test('a request after a success gets the same result', async (t) => {
  const { restarter, running } = new Attempts();
  const first = restarter.request();
  running[0]!.succeed('a');
  await first;
  t.equal(await restarter.request(), 'a');
  t.equal(running.length, 1);
});

t.test('a failure is reported, and the next request starts a new attempt', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  const first = restarter.request();
  running[0]!.fail(new Error('no'));
  await t.rejects(first, { message: 'no' });
  await turn();
  t.equal(running.length, 1, 'no other restart was requested');
  const second = restarter.request();
  t.equal(running.length, 2);
  running[1]!.succeed('b');
  t.equal(await second, 'b');
  t.strictSame(handedOn, [['b', false]]);
});

t.test('several requests during an attempt that fails start one more attempt', async (t) => {
  const { restarter, running, handedOn } = new Attempts();
  const requests = [restarter.request(), restarter.request(), restarter.request()];
  running[0]!.fail(new Error('no'));
  for (const { status } of await Promise.allSettled(requests)) t.equal(status, 'rejected');
  await turn();
  t.equal(running.length, 2, 'one more');
  running[1]!.fail(new Error('no again'));
  await turn();
  t.equal(running.length, 2, 'and no third');
  t.strictSame(handedOn, []);
});

t.test('a request during the queued restart queues one more', async (t) => {
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

t.test('cancel drops the queued restart', async (t) => {
  for (const end of ['succeed', 'fail'] as const) {
    const { restarter, running, handedOn } = new Attempts();
    const requests = [restarter.request(), restarter.request()];
    restarter.cancel();
    if (end === 'succeed') running[0]!.succeed('a');
    else running[0]!.fail(new Error('no'));
    await Promise.allSettled(requests);
    await turn();
    t.equal(running.length, 1, `no attempt after a ${end}`);
    t.strictSame(handedOn, end === 'succeed' ? [['a', false]] : []);
  }
});
