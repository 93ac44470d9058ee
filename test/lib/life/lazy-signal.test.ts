import t from 'tap';
import { LazySignal } from '../../../lib/life/lazy-signal.js';

t.test('a signal that is asked for before or after it is aborted', async (t) => {
  const early = new LazySignal();
  const { signal } = early;
  t.notOk(signal.aborted);
  t.equal(early.signal, signal, 'always the same one');
  early.abort('this process drains: stop');
  t.ok(signal.aborted);
  t.match(signal.reason, { name: 'AbortError', message: 'this process drains: stop' });

  early.renew();
  t.ok(signal.aborted, 'what was aborted stays so');
  const next = early.signal;
  t.notOk(next.aborted);
  early.renew();
  t.equal(early.signal, next, 'one that was not aborted is still good');

  const late = new LazySignal();
  late.abort('too late');
  t.ok(late.signal.aborted);
  t.match(late.signal.reason, { name: 'AbortError', message: 'too late' });
});
