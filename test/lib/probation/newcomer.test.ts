import t from 'tap';
import { type Carried } from '../../../lib/inherit/carried.js';
import { Newcomer } from '../../../lib/probation/newcomer.js';
import { waitUntil } from '../../support/wait.js';

/** A new process on probation. The test speaks for the old one. */
function begin(): {
  readonly newcomer: Newcomer;
  readonly said: unknown[];
  answer(type: 'accepts' | 'released'): void;
  readonly accepted: () => number;
} {
  const said: unknown[] = [];
  let answer: (value: unknown) => void = () => undefined;
  let accepted = 0;
  const carried: Pick<Carried, 'get' | 'hear' | 'ask'> = {
    get: () => ({ time: 1, hang: 0 }),
    hear: (_key, onNews) => {
      answer = onNews;
      return true;
    },
    ask: (_key, value) => said.push(value) > 0,
  };
  const newcomer = Newcomer.begin(
    carried,
    () => (accepted += 1),
    () => undefined,
  )!;
  return { newcomer, said, answer: (type) => answer({ type }), accepted: () => accepted };
}

t.test('the old process may still serve again when the own time is over: a stop waits for its answer', async (t) => {
  const { newcomer, said, answer, accepted } = begin();
  await waitUntil('the end of the time', () => !newcomer.active);
  let dismissed = false;
  const end = newcomer.dismiss().then(() => {
    dismissed = true;
  });
  t.strictSame(said, [{ type: 'over' }]);
  await new Promise((done) => setImmediate(done));
  t.notOk(dismissed, 'the old process has not let go yet');
  answer('released');
  await end;
  t.equal(accepted(), 0);
});

t.test('an old process that has let go is told of a stop, and nobody waits for it', async (t) => {
  const { newcomer, said, answer } = begin();
  answer('released');
  t.notOk(newcomer.active);
  await newcomer.dismiss();
  t.strictSame(said, [{ type: 'over' }]);
  t.equal(await newcomer.fail('too late'), false);
});

t.test('a process that says that it is broken hears that the old one accepts', async (t) => {
  const { newcomer, said, answer, accepted } = begin();
  const failed = newcomer.fail('broken');
  t.strictSame(said, [{ type: 'fail', reason: 'broken' }]);
  answer('accepts');
  t.equal(await failed, true);
  t.equal(accepted(), 1);
});
