import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { isAlive } from '../../support/proc.js';
import { scratch } from '../../support/scratch.js';
import { ask, plain, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

/** Other tests may keep the processors busy. */
t.setTimeout(240_000);

const COMMAND = ['--', ...plain()];
/** Exits at once with the code in EXIT, if there is one. */
const MAY_FAIL = ['--', 'sh', '-c', '[ -z "$EXIT" ] || exit "$EXIT"; exec "$@"', 'sh', ...plain()];

/** A test uses the envdir to change what the next worker does. */
function envdir(t: Tap, files: Record<string, string>): { readonly folder: string; set(name: string, text?: string): void } {
  const folder = join(scratch(t), 'env');
  mkdirSync(folder);
  const set = (name: string, text?: string): void => {
    if (text === undefined) rmSync(join(folder, name));
    else writeFileSync(join(folder, name), text);
  };
  for (const [name, text] of Object.entries(files)) set(name, text);
  return { folder, set };
}
type Tap = Parameters<typeof scratch>[0];

t.test('a failed start is tried again, and the old worker goes on serving', async (t) => {
  const variables = envdir(t, {});
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.5', `--envdir=${variables.folder}`, ...MAY_FAIL]);
  const first = await starter.program.announced('ready');
  const port = portOf(first);
  await starter.said('starting new worker');
  variables.set('EXIT', '3\n');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  starter.signal('SIGHUP');
  await starter.said(/^new worker \d+ seems to have failed to start, exit status:768$/, 2);
  t.same(await ask(port), [first.pid, 1]);
  t.equal(starter.status(), `1:${first.pid}\n`);
  variables.set('EXIT');
  const second = await starter.program.announced('ready', 2);
  await starter.said(`old worker ${first.pid} died, status:0`);
  const [, generation] = await ask(port);
  t.ok(generation! >= 4, 'failed starts count as generations');
  t.equal(starter.status(), `${generation}:${second.pid}\n`);
  await starter.stop();
});

t.test('the envdir is read again at each start', async (t) => {
  const variables = envdir(t, { COLOUR: 'green\nignored\n', '.hidden': 'x', EMPTY: '' });
  const starter = startStarter(t, ['--interval=0.1', ...COMMAND], { env: { ENVDIR: variables.folder, COLOUR: 'grey' } });
  const restarted = async (nth: number): Promise<unknown> => {
    const { env } = await starter.program.announced('ready', nth);
    return (env as Record<string, string>)['COLOUR'];
  };
  t.equal(await restarted(1), 'green');
  await starter.said('starting new worker');
  variables.set('COLOUR', 'blue');
  starter.signal('SIGHUP');
  t.equal(await restarted(2), 'blue');
  await starter.said(/^old worker/);
  variables.set('COLOUR');
  starter.signal('SIGHUP');
  t.equal(await restarted(3), 'grey', 'without its file the variable has its first value again');
  await starter.stop();
});

t.test('SIGTERM and SIGINT stop it, also during an interval', async (t) => {
  for (const [signal, args, sent, worker] of [
    ['SIGTERM', ['--signal-on-term=QUIT'], 'QUIT', 'SIGQUIT'],
    ['SIGINT', ['--signal-on-term=QUIT'], 'TERM', 'SIGTERM'],
  ] as const) {
    const path = join(scratch(t), 'app.sock');
    const starter = startStarter(t, ['--interval=20', `--path=${path}`, ...args, ...COMMAND]);
    const { pid } = await starter.program.announced('ready');
    const begin = performance.now();
    starter.signal(signal);
    t.match(await starter.program.exited, { code: 0, signal: null });
    t.ok(performance.now() - begin < 10_000);
    t.equal((await starter.program.announced('signal'))['signal'], worker);
    t.same(starter.messages.slice(-3), [
      `received ${signal.slice(3)}, sending ${sent} to all workers:${pid}`,
      `worker ${pid} died, status:0`,
      'exiting',
    ]);
    t.notOk(existsSync(starter.statusFile) || existsSync(starter.pidFile));
    await t.rejects(ask(path), { code: 'ENOENT' });
  }
  const failing = startStarter(t, ['--interval=20', '--', 'sh', '-c', 'exit 1']);
  await failing.said('seems to have failed to start, exit status:256');
  t.match(await failing.stop(), { code: 0 });
});

t.test('a worker gets each signal once: many programs exit at once when they get it again', async (t) => {
  const starter = startStarter(t, ['--interval=0.1', ...COMMAND], { env: { TERM_AFTER: '1.5' } });
  const { pid } = await starter.program.announced('ready');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  for (let deploy = 1; deploy <= 2; deploy += 1) {
    starter.signal('SIGHUP');
    await starter.said('killing old workers', deploy);
  }
  t.match(await starter.stop(), { code: 0 });
  t.equal(starter.program.all('signal').filter((announced) => announced.pid === pid).length, 1);
});

t.test('auto restart: at each interval, or at twice the interval if an old worker is left', async (t) => {
  const env = { ENABLE_AUTO_RESTART: '1', AUTO_RESTART_INTERVAL: '1', KILL_OLD_DELAY: '0.1' };
  const starter = startStarter(t, ['--interval=0.1', ...COMMAND], { env });
  await starter.said('autorestart triggered (interval=1)');
  await starter.said('sleeping 0.1 secs before killing old workers');
  await starter.said(/^old worker/);
  await starter.stop();
  const stubborn = startStarter(
    t,
    ['--interval=0.1', '--enable-auto-restart', '--auto-restart-interval=1', '--kill-old-delay=0', ...COMMAND],
    {
      env: { IGNORE_TERM: '1' },
    },
  );
  await stubborn.said('autorestart triggered (forced, interval=1)');
  stubborn.signal('SIGTERM');
  await stubborn.said('received TERM');
  await waitUntil('the end', () => {
    for (const { pid } of stubborn.program.all('ready')) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    return stubborn.messages.at(-1) === 'exiting';
  });
  t.ok(stubborn.messages.some((line) => /^worker \d+ died, status:9$/.test(line)));
});

t.test('auto restart does not delay the exit: SIGTERM while the first worker starts', async (t) => {
  const starter = startStarter(t, ['--interval=20', '--enable-auto-restart', ...COMMAND]);
  await starter.program.announced('ready');
  t.match(await starter.stop(), { code: 0 });
});

t.test('one deploy at a time, and one more for all SIGHUPs that arrive during it', async (t) => {
  // The signals arrive within this time.
  const starter = startStarter(t, ['--interval=1.5', ...COMMAND]);
  await starter.program.announced('ready');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  starter.signal('SIGHUP');
  await starter.said('starting new worker', 2);
  for (let count = 1; count <= 20; count += 1) starter.signal('SIGHUP');
  await waitUntil(
    'generation 3',
    () => /^3:\d+\n$/.test(starter.status()),
    () => starter.program.report(),
  );
  await starter.stop();
  t.equal(starter.messages.filter((line) => line.startsWith('starting new worker')).length, 3);
});
