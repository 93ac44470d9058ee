import t from 'tap';
import { holdSignals, lastSignal, programHandlers } from '../../../../gracehttp/auto/hold/signals.js';
import { onSignals } from '../../../../lib/on-signals.js';

const emit = (signal: string): boolean => process.emit(signal as 'SIGWINCH', 'SIGWINCH');

t.test('a signal that this library handles does not reach the handlers of the program', async (t) => {
  const { emit: nativeEmit, removeAllListeners } = process;
  t.teardown(() => Object.assign(process, { emit: nativeEmit, removeAllListeners }));
  holdSignals();
  const heard: string[] = [];
  const ofProgram = (): unknown => heard.push('program');
  process.on('SIGWINCH', ofProgram);
  t.teardown(() => process.off('SIGWINCH', ofProgram));

  emit('SIGWINCH');
  t.strictSame(heard, ['program'], 'one that it does not handle does');
  t.equal(lastSignal(), undefined);

  const remove = onSignals(['SIGWINCH'], () => heard.push('library'));
  t.teardown(remove);
  t.ok(emit('SIGWINCH'));
  t.strictSame(heard, ['program', 'library']);
  t.equal(lastSignal(), 'SIGWINCH');
  t.strictSame(programHandlers('SIGWINCH'), [ofProgram]);

  process.removeAllListeners('SIGWINCH');
  t.strictSame(programHandlers('SIGWINCH'), [], 'the program can remove its own ones');
  emit('SIGWINCH');
  t.strictSame(heard, ['program', 'library', 'library'], 'and no others');

  let other = 0;
  process.on('some event' as 'exit', () => (other += 1));
  process.emit('some event' as 'exit', 0);
  process.removeAllListeners('some event' as 'exit');
  process.emit('some event' as 'exit', 0);
  t.equal(other, 1, 'other events are as always');
});
