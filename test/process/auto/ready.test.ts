import { join } from 'node:path';
import t from 'tap';
import { startAuto } from '../../support/auto/start-auto.js';
import { isAlive } from '../../support/proc.js';
import { get } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';
import { freePort } from '../../support/sockets.js';
import { fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const HOST = '127.0.0.1';
/** How long a program takes before each of its servers listens. */
const EACH_AFTER_MS = 400;

t.test('a successor is ready when every address is served again', async (t) => {
  const [first, second] = [await freePort(), await freePort()];
  const program = startAuto(t, {
    http: [
      { port: first, host: HOST },
      { port: second, host: HOST },
    ],
    after: EACH_AFTER_MS,
  });
  await program.announced('ready');
  const begin = performance.now();
  process.kill(program.pid, 'SIGUSR2');
  await waitUntil('the new process at the first address', async () => (await get({ port: first })).pid !== program.pid);
  t.ok(performance.now() - begin >= 2 * EACH_AFTER_MS, 'the old process serves until the new one has both');
  const { pid } = await program.announced('ready', 2);
  await waitUntil('the new process at both', async () => (await get({ port: second })).pid === pid);
  t.equal((await program.exited).code, 0);
});

t.test('a server that listens later joins', async (t) => {
  const [first, second] = [await freePort(), await freePort()];
  const program = startAuto(t, {
    http: [
      { port: first, host: HOST },
      { port: second, host: HOST },
    ],
    after: 300,
  });
  await waitUntil('the first server', () =>
    get({ port: first }).then(
      () => true,
      () => false,
    ),
  );
  await program.announced('ready');
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await program.exited;
  t.equal((await get({ port: second })).pid, pid, 'the second one was handed over too');
});

t.test('a successor that does not serve an address fails, and says which one', async (t) => {
  const [first, second] = [await freePort(), await freePort()];
  const both = JSON.stringify({
    http: [
      { port: first, host: HOST },
      { port: second, host: HOST },
    ],
  });
  const one = JSON.stringify({ http: [{ port: first, host: HOST }] });
  const marker = join(scratch(t), 'second');
  // The command line is the same each time, so the shell inside decides.
  const command = JSON.stringify(['sh', '-c', `exec "$NODE" --import ts-grace/auto "$PROGRAM" '${one}'`]);
  const env = { GRACE_COMMAND: command, GRACE_RESTART_TIMEOUT: '5000', MARKER: marker };
  const program = start(t, fixture('auto/program'), { nodeArgs: ['--import', 'ts-grace/auto'], args: [both], env });
  await program.announced('ready');
  process.kill(program.pid, 'SIGUSR2');
  await program.logged(/restart failed/);
  await program.logged(new RegExp(`waiting for a server on ${HOST}:${second}`));
  t.equal((await get({ port: first })).pid, program.pid, 'the old process serves on');
  t.equal((await get({ port: second })).pid, program.pid);
});

t.test("GRACE_READY=manual: process.send('ready') says it", async (t) => {
  const port = await freePort();
  const program = startAuto(t, { http: [{ port, host: HOST }], sends: 500 }, { GRACE_READY: 'manual' });
  await program.announced('ready');
  await waitUntil('the answer', () => get({ port }).then(() => true));
  await new Promise((done) => setTimeout(done, 600));
  const begin = performance.now();
  process.kill(program.pid, 'SIGUSR2');
  await waitUntil('a new process', async () => (await get({ port })).pid !== program.pid);
  t.ok(performance.now() - begin >= 500, 'not before it was sent');
  await program.exited;
  t.notOk(isAlive(program.pid));
});

t.test('a server that was closed and opened again is handed over with its new socket', async (t) => {
  const port = await freePort();
  const program = startAuto(t, { http: [{ port, host: HOST }], reopens: true });
  await program.announced('ready');
  program.process.kill('SIGHUP');
  await program.announced('opened again');
  program.process.kill('SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await waitUntil('the new process to answer', async () => (await get({ port })).pid === pid);
  t.equal((await program.exited).code, 0);
});
