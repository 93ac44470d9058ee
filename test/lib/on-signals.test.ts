import t from 'tap';
import { exitCodeOf, onSignals } from '../../lib/on-signals.js';

t.test('onSignals installs one handler for several signals, and removes it', async (t) => {
  const handlers = (): number => process.listenerCount('SIGUSR2') + process.listenerCount('SIGWINCH');
  const before = handlers();
  const found: NodeJS.Signals[] = [];
  const remove = onSignals(['SIGUSR2', 'SIGWINCH'], (signal) => found.push(signal));
  t.equal(handlers(), before + 2);
  process.emit('SIGUSR2', 'SIGUSR2');
  process.emit('SIGWINCH', 'SIGWINCH');
  t.strictSame(found, ['SIGUSR2', 'SIGWINCH']);
  remove();
  t.equal(handlers(), before);
});

t.test('exitCodeOf', async (t) => {
  t.equal(exitCodeOf('SIGINT'), 130);
  t.equal(exitCodeOf('SIGTERM'), 143);
});
