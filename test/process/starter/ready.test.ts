import { statSync } from 'node:fs';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { fixture } from '../../support/program.js';
import { ask, plain, skipWithoutFlock, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

const NODE = process.execPath;
const SLOW = fixture('starter/slow');
/** Seconds; on a busy machine a worker needs some of this time to say that it will announce a ready message. */
const INTERVAL_S = 2;
const SLOW_MS = 3_000;
const SERVER = [NODE, fixture('server'), JSON.stringify({ http: [':0'] })];

t.test('a worker that uses ts-grace is up when it says that it is ready, long before the interval', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--port=127.0.0.1:u0', '--interval=100', '--', ...SERVER]);
  const first = await starter.program.announced('ready');
  t.match(first, { generation: 1, addresses: [/^127\.0\.0\.1:\d+$/] });
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  starter.signal('SIGHUP');
  const second = await starter.program.announced('ready', 2);
  t.match(second, { generation: 2, addresses: first['addresses'] });
  await waitUntil(
    'both',
    () => starter.status() === `1:${first.pid}\n2:${second.pid}\n`,
    () => starter.status(),
  );
  t.match(await starter.stop(), { code: 0 }, 'a stop does not wait for the interval');
});

t.test('a worker that announces a ready message is waited for longer than the interval', { skip: skipWithoutFlock }, async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', `--interval=${INTERVAL_S}`, '--', NODE, SLOW, String(SLOW_MS)]);
  const started = await starter.program.announced('started');
  t.same(
    (started['environment'] as string[]).toSorted(),
    ['SERVER_STARTER_GENERATION', 'SERVER_STARTER_WORKER'],
    'the variables that pass sockets are not in its environment',
  );
  await waitUntil('generation 1', () => starter.status() !== '');
  const { workers } = JSON.parse((await starter.command('--status', '--json')).stdout) as { workers: { startedAt: number }[] };
  // The status file is written when the worker is up.
  const took = statSync(starter.statusFile).mtimeMs - workers[0]!.startedAt;
  t.ok(took >= SLOW_MS, `up after ${took} ms`);
  await starter.stop();
});

t.test('--ready-timeout: a worker that is not ready in time is killed and counts as failed', async (t) => {
  for (const [command, status] of [
    [[NODE, SLOW, 'never'], 0],
    [plain(), 9],
  ] as const) {
    const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.1', '--ready-timeout=1.5', '--', ...command], {
      env: { IGNORE_TERM: '1' },
    });
    await starter.said(/^new worker \d+ was not ready within 1\.5 seconds$/);
    // A worker that has not installed its signal handlers yet dies of the signal, so it may be a later one.
    await starter.said(new RegExp(`^new worker \\d+ seems to have failed to start, exit status:${status}$`));
    await starter.said('starting new worker', 2);
    t.equal(starter.status(), '');
    starter.signal('SIGTERM');
    await waitUntil('the end', () => {
      for (const { pid } of starter.program.all('ready')) kill(pid);
      return starter.program.process.exitCode !== null;
    });
    t.match(await starter.program.exited, { code: 0 });
  }
});

t.test('a worker ignores SIGUSR2, and says which process to send SIGHUP to', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=5', '--', ...SERVER]);
  const { pid, addresses } = await starter.program.announced('ready');
  process.kill(pid, 'SIGUSR2');
  await starter.said(`send SIGHUP to process ${starter.pid}`);
  const port = portOf((addresses as string[])[0]!);
  t.match(
    await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: 'close' } }).then((answer) => answer.headers.get('x-pid')),
    String(pid),
  );
  t.equal(starter.program.all('restarting').length, 0);
  await starter.stop();
});

t.test('start_server accepts no connection itself', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.2', '--', ...plain()]);
  const first = await starter.program.announced('ready');
  const port = portOf(first);
  const answers: number[] = [];
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  process.kill(first.pid, 'SIGKILL');
  // They wait in the kernel's queue until a worker accepts.
  const pending = Array.from({ length: 50 }, () => ask(port).then(([pid]) => answers.push(pid!)));
  await Promise.all(pending);
  const second = await starter.program.announced('ready', 2);
  t.ok(
    answers.every((pid) => pid === second.pid),
    'the next worker answers all requests',
  );
  await starter.said(`worker ${first.pid} died unexpectedly with status:9, restarting`);
  await starter.stop();
});

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has exited already.
  }
}
