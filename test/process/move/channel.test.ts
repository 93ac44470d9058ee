import { fork } from 'node:child_process';
import { once } from 'node:events';
import t from 'tap';
import { type Announcement, fixture } from '../../support/program.js';
import { isRunning } from '../../../lib/process-table.js';
import { waitUntil } from '../../support/wait.js';

t.test(
  'a program that was started by fork() keeps its channel; its successor sees none, and does not end when the channel of connections does',
  async (t) => {
    const child = fork(fixture('forked'), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], env: { ...process.env, NODE_OPTIONS: '' } });
    const announced: Announcement[] = [];
    child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      for (const line of text.split('\n')) if (line.startsWith('{')) announced.push(JSON.parse(line) as Announcement);
    });
    const all = (event: string): Announcement[] => announced.filter((found) => found.event === event);
    t.teardown(() => {
      for (const { pid } of all('ready')) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
    });
    t.strictSame(await once(child, 'message'), ['ready', undefined]);
    process.kill(child.pid!, 'SIGUSR2');
    await waitUntil('the successor', () => all('channel').length === 2);
    const [first, second] = all('channel');
    t.match(first, { send: 'function', connected: true });
    t.match(second, { send: 'undefined', connected: false });
    await waitUntil('the end of the first process', () => child.exitCode !== null);
    await waitUntil('the successor to serve', () => all('ready').length === 2);
    const successor = all('ready')[1]!.pid;
    // Were the end of the channel visible, the program would leave at once.
    await new Promise((done) => setTimeout(done, 300));
    t.ok(isRunning(successor));
    process.kill(successor, 'SIGTERM');
    await waitUntil('its end', () => !isRunning(successor));
    t.strictSame(all('disconnected'), []);
  },
);
