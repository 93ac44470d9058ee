import t from 'tap';
import { reportTo } from '../../../lib/log.js';
import { onSignals } from '../../../lib/on-signals.js';
import { warnOfOtherHandlers } from '../../../lib/signals/other-handlers.js';

t.test('handlers of the program are named, now and when they are added', async (t) => {
  const said: string[] = [];
  t.teardown(reportTo((message) => said.push(message)));
  const stopOwn = onSignals(['SIGWINCH'], () => undefined);
  function closeEverything(): void {}
  process.once('SIGWINCH', closeEverything);
  const stop = warnOfOtherHandlers({ stop: ['SIGWINCH'], restart: ['SIGCONT'] });
  t.match(said, [/^warning: SIGWINCH is also handled by the function closeEverything: it runs before requests are answered/]);
  const onRestart = [(): number => 1][0]!;
  process.on('SIGCONT', onRestart);
  t.match(said[1], /^warning: SIGCONT is also handled by a function without a name: \(\) => 1: a restart has begun/);
  const stopMore = onSignals(['SIGCONT'], () => undefined);
  t.equal(said.length, 2, 'not of those of this library');
  stop();
  process.on('SIGCONT', closeEverything);
  t.equal(said.length, 2);
  stopOwn();
  stopMore();
  process.off('SIGWINCH', closeEverything).off('SIGCONT', closeEverything).off('SIGCONT', onRestart);
});
