import t from 'tap';
import { type Notice } from '../../../demo/page/messages.js';
import { Processes } from '../../../demo/page/processes.js';
import { tell } from '../../../demo/page/story.js';

let count = 0;

function notice(what: Notice['what'], pid: number, generation: number): Notice {
  return { id: String((count += 1)), at: 0, what, pid, generation };
}

t.test('a restart: the next process starts, serves, and the old one drains', async (t) => {
  const processes = new Processes();
  t.match(tell(processes, false), { bad: true, text: /^No process answers/ });
  processes.greet(10, 1);
  t.strictSame(tell(processes, true), { bad: false, text: 'Process 10 serves.' });
  const restarting = notice('restarting', 10, 1);
  t.ok(processes.note(restarting, 5));
  t.notOk(processes.note(restarting, 5), 'a notice counts once');
  t.equal(processes.list.length, 2);
  t.match(tell(processes, true), { text: 'A new release starts. Process 10 serves meanwhile.' });
  t.equal(processes.colourOf(undefined), 0, 'nobody has a colour yet');
  processes.greet(11, 2);
  t.match(processes.list, [{ pid: 10 }, { pid: 11, from: 5 }], 'it is the one that started');
  t.equal(tell(processes, true).text, 'Process 11 serves. Process 10 finishes the requests that it has.');
  processes.note(notice('closed', 10, 1), 9);
  t.match(processes.list[0], { until: 9, failed: false });
  t.equal(tell(processes, true).text, 'Process 11 serves.');
  t.not(processes.colourOf(11), processes.colourOf(12));
  processes.forget(10);
  t.strictSame(
    processes.list.map(({ pid }) => pid),
    [11],
  );
});

t.test('the whole server is started anew', async (t) => {
  const processes = new Processes();
  processes.greet(10, 1);
  processes.note(notice('draining', 10, 1), performance.now());
  processes.greet(20, 1);
  t.match(processes.list, [
    { pid: 10, until: Number, failed: false },
    { pid: 20, until: undefined },
  ]);
  t.equal(tell(processes, true).text, 'Process 20 serves.');
});

t.test('a release that cannot start, and one that dies', async (t) => {
  const processes = new Processes();
  processes.greet(10, 1);
  processes.note(notice('restarting', 10, 1), performance.now());
  processes.note(notice('restart-failed', 10, 1), performance.now());
  t.match(processes.list[1], { pid: undefined, failed: true });
  t.equal(tell(processes, true).text, 'The new release could not start, so process 10 serves on.');
  processes.note(notice('restarting', 10, 1), performance.now());
  processes.greet(11, 2);
  t.equal(processes.serving?.pid, 11);
  processes.greet(10, 1);
  t.equal(processes.serving?.pid, 10);
  t.match(processes.list, [{ pid: 10, draining: undefined }, { pid: undefined }, { pid: 11, failed: true }]);
  t.equal(tell(processes, true).text, 'The new release died, so process 10 serves again.');
  processes.greet(12, 3);
  t.match(tell(processes, true).text, /^Process 12 serves/, 'that is over');
  processes.note(notice('draining', 12, 3), performance.now());
  t.match(tell(processes, true), { bad: true, text: 'The server is stopping.' });
});
