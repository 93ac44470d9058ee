import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { fixture } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { type Starter, run, skipWithoutFlock, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

t.setTimeout(240_000);

/** A release that says that it is ready, and dies `after` milliseconds later. */
function release(t: Parameters<typeof scratch>[0]): { readonly folder: string; breaks(after: string): void; works(): void } {
  const folder = join(scratch(t), 'env');
  mkdirSync(folder);
  const file = join(folder, 'DIES');
  return { folder, breaks: (after) => writeFileSync(file, after), works: () => rmSync(file) };
}

function startsOf(starter: Starter): number {
  return starter.messages.filter((line) => line.startsWith('starting new worker')).length;
}

for (const workers of [1, 2]) {
  t.test(
    `a worker that dies within the interval after it was ready: the old one serves on, workers: ${workers}`,
    { skip: skipWithoutFlock },
    async (t) => {
      const { folder, breaks, works } = release(t);
      const args = ['--port=127.0.0.1:0', '--interval=1', '--ready-timeout=30', `--workers=${workers}`, `--envdir=${folder}`];
      const starter = startStarter(t, [...args, '--', process.execPath, fixture('starter/dies')]);
      const { program } = starter;
      await program.announced('serves', workers);
      await waitUntil('generation 1', () => starter.status().split('1:').length === workers + 1);
      const first = program.all('serves').map(({ pid }) => pid);
      breaks('50');
      const failed = await starter.command('--restart');
      t.match(failed, {
        code: 1,
        stdout: '',
        stderr: /the new worker failed to start 3 times; the last one was ready, and then exited with code 1 within 1 seconds\n$/,
      });
      await starter.said(/^new worker \d+ was ready, and then exited with code 1 within 1 seconds$/, 3);
      t.ok(first.every(isRunning), 'no old worker was told to exit');
      t.same(program.all('draining'), []);
      t.ok(startsOf(starter) <= workers + 4, `a pause between tries grows: ${startsOf(starter)} starts`);
      works();
      const { code, stdout } = await starter.command('--restart');
      t.equal(code, 0);
      t.match(stdout, /is serving, no old worker is left/);
      t.notOk(first.some(isRunning));
      t.match(await starter.stop(), { code: 0 });
    },
  );
}

t.test('an old worker stays until the new one has lived for the interval', async (t) => {
  const starter = startStarter(t, [
    '--port=127.0.0.1:0',
    '--interval=1',
    '--ready-timeout=30',
    '--',
    process.execPath,
    fixture('starter/dies'),
  ]);
  const { program } = starter;
  const first = await program.announced('serves');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  starter.signal('SIGHUP');
  const second = await program.announced('serves', 2);
  await program.announced('draining');
  const lived = Date.now() - Number(second['at']);
  t.ok(lived >= 950, `the new worker had lived ${lived} ms`);
  await starter.said(`old worker ${first.pid} died, status:0`);
  await starter.stop();
});

t.test('a worker that crashes again and again is started ever more seldom', async (t) => {
  const { folder, breaks } = release(t);
  breaks('50');
  const starter = startStarter(t, [
    '--port=127.0.0.1:0',
    '--interval=0.5',
    '--ready-timeout=30',
    `--envdir=${folder}`,
    '--',
    process.execPath,
    fixture('starter/dies'),
  ]);
  await starter.said(/died unexpectedly with status:256, restarting/, 4);
  await starter.program.announced('serves', 4);
  const times = starter.program.all('serves').map(({ at }) => Number(at));
  const [, second, third, fourth] = times as [number, number, number, number];
  t.ok(third - second >= 500 && fourth - third >= 1_000, `${times.map((time) => time - times[0]!)}`);
  await starter.stop();
});

t.test('--restart shows the last lines of the log, if it is a file', { skip: skipWithoutFlock }, async (t) => {
  const { folder, breaks } = release(t);
  const log = join(folder, '..', 'log');
  const args = [`--log-file=${log}`, '--port=127.0.0.1:0', '--interval=1', '--ready-timeout=30', `--envdir=${folder}`];
  const starter = startStarter(t, [...args, '--', process.execPath, fixture('starter/dies')]);
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  breaks('20');
  const failed = await starter.command('--restart');
  t.match(
    failed,
    { code: 1, stderr: /; the log before that:\n[^]* {2}the database is not there\n/ },
    `${failed.stdout}${readFileSync(log, 'utf8')}`,
  );
  await starter.stop();
});

t.test('SIGHUP while a worker starts that then fails: the pause after it is left out', async (t) => {
  const folder = join(scratch(t), 'env');
  mkdirSync(folder);
  const mayFail = join(folder, '..', 'may-fail');
  const args = ['--interval=20', `--envdir=${folder}`, '--ready-timeout=20'];
  const program = `echo "start $GOOD"; while [ ! -e ${mayFail} ]; do sleep 0.05; done; exit 3`;
  const starter = startStarter(t, [...args, '--', 'sh', '-c', program]);
  await waitUntil('a worker', () => starter.program.output.includes('start'));
  writeFileSync(join(folder, 'GOOD'), 'better');
  starter.signal('SIGHUP');
  // SIGHUP is handled before the exit of the worker, which comes later.
  writeFileSync(mayFail, '');
  await starter.said('seems to have failed to start, exit status:768');
  const begin = performance.now();
  await waitUntil('the next try', () => starter.program.output.includes('start better'));
  t.ok(performance.now() - begin < 10_000);
  await starter.stop();
});

t.test('--kill-timeout: a worker that ignores SIGTERM does not hold up a stop, and what it has started goes with it', async (t) => {
  const ignores = 'trap "" TERM; (trap "" TERM; while :; do sleep 0.1; done) & echo "child $!"; while :; do sleep 0.1; done';
  const starter = startStarter(t, ['--interval=0.1', '--kill-timeout=0.5', '--', 'sh', '-c', ignores]);
  await waitUntil('the child', () => /child \d+/.test(starter.program.output));
  const child = Number(/child (\d+)/.exec(starter.program.output)![1]);
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  t.match(await starter.stop(), { code: 0 });
  t.ok(
    starter.messages.some((line) => /^worker \d+ has not exited within 0\.5 seconds, sending KILL$/.test(line)),
    starter.program.stderr,
  );
  await waitUntil('the end of its child', () => !isRunning(child));
});

t.test('--ready-timeout: what the worker has started goes with it', async (t) => {
  const slow = '(while :; do sleep 0.1; done) & echo "child $!"; exec sleep 1000';
  const starter = startStarter(t, ['--interval=20', '--ready-timeout=2', '--', 'sh', '-c', slow]);
  await waitUntil('the child', () => /child \d+/.test(starter.program.output));
  const child = Number(/child (\d+)/.exec(starter.program.output)![1]);
  await starter.said('was not ready within 2 seconds');
  await waitUntil('the end of its child', () => !isRunning(child));
  await starter.stop();
});

t.test('--start-timeout: a worker that announced a ready message is killed after it; 0 is no limit', async (t) => {
  const starter = startStarter(t, [
    '--port=127.0.0.1:0',
    '--interval=10',
    '--start-timeout=0.8',
    '--',
    process.execPath,
    fixture('starter/slow'),
    'never',
  ]);
  await starter.said(/^new worker \d+ was not ready within 0\.8 seconds$/);
  await starter.stop();
  t.match(await run(['--start-timeout=soon', '--', 'true']), { code: 1, stderr: /--start-timeout=soon, expected a number/ });
  const patient = startStarter(t, [
    '--port=127.0.0.1:0',
    '--interval=10',
    '--start-timeout=0',
    '--',
    process.execPath,
    fixture('starter/slow'),
    '1000',
  ]);
  await waitUntil('generation 1', () => patient.status().startsWith('1:'));
  await patient.stop();
});
