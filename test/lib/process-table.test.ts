import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import t from 'tap';
import { starvation } from '../../lib/process-table.js';
import { skipUnless } from '../support/skip.js';
import { waitUntil } from '../support/wait.js';

const skip = skipUnless(() => existsSync('/proc/self/schedstat'), 'this kernel does not count how long processes wait for a processor');
const ENOUGH_MS = 50;

t.test('starvation() grows while there are more processes than processors', { skip }, async (t) => {
  const busy = Array.from({ length: availableParallelism() + 1 }, () => spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  t.teardown(() => busy.forEach((child) => child.kill('SIGKILL')));
  await waitUntil('a process that has waited', () => busy.some(({ pid }) => starvation(pid!) > ENOUGH_MS));
});

t.test('starvation() of no process is 0', async (t) => {
  t.equal(starvation(2 ** 22 + 1), 0);
});
