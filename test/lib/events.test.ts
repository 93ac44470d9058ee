import t from 'tap';
import { Events } from '../../lib/events.js';
import { recordReports } from '../support/reports.js';
import { waitUntil } from '../support/wait.js';

t.test('every listener is called, whatever the others do', async (t) => {
  const found = recordReports(t);
  const events = new Events();
  const called: string[] = [];
  events.on('restarted', ({ pid }) => {
    called.push(`one ${pid}`);
    throw new Error('one failed');
  });
  events.once('restarted', async () => {
    called.push('two');
    throw { two: 'failed' };
  });
  events.on('restarted', function (this: unknown) {
    t.equal(this, events);
    called.push('three');
  });
  t.ok(events.emit('restarted', { pid: 7 }));
  t.ok(events.emit('restarted', { pid: 8 }));
  t.same(called, ['one 7', 'two', 'three', 'one 8', 'three']);
  await waitUntil('three warnings', () => found.length >= 3);
  t.match(found, [
    /^warning: a listener of 'restarted' failed: Error: one failed\n +at /,
    /one failed/,
    /^warning: a listener of 'restarted' failed: \{ two: 'failed' \}$/,
  ]);
});

t.test('without a listener nothing happens', async (t) => {
  t.notOk(new Events().emit('ready'));
});
