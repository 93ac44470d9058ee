import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { portOf } from '../../support/address.js';
import { isAlive } from '../../support/proc.js';
import { scratch } from '../../support/scratch.js';
import { MAIN, ask, plain, run, skipWithoutFlock, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

/** Other tests may keep the processors busy. */
t.setTimeout(110_000);

const COMMAND = ['--', ...plain()];
/** Exits at once with the code in EXIT, if there is one. */
const MAY_FAIL = ['--', 'sh', '-c', '[ -z "$EXIT" ] || exit "$EXIT"; exec "$@"', 'sh', ...plain()];

t.test('--help and --version', async (t) => {
  t.match(await run(['--help']), { code: 0, stdout: /^Usage: start_server/ });
  t.match(await run(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
});

t.test('--restart waits until no old worker is left, and prints one line', { skip: skipWithoutFlock }, async (t) => {
  const starter = startStarter(t, ['--interval=0.2', ...COMMAND], { env: { TERM_AFTER: '0.5' } });
  const { pid } = await starter.program.announced('ready');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  const { code, stdout } = await starter.command('--restart');
  t.equal(code, 0);
  t.match(stdout, /^generation 2 is serving, no old worker is left, after \d\.\d s\n$/);
  t.notOk(isAlive(pid));
  t.match(starter.status(), /^2:\d+\n$/);
  await starter.stop();
});

t.test(
  '--restart fails if the program does not start, if it takes too long, and if start_server exits',
  { skip: skipWithoutFlock },
  async (t) => {
    const folder = join(scratch(t), 'env');
    mkdirSync(folder);
    const starter = startStarter(t, ['--interval=0.5', `--envdir=${folder}`, '--port=127.0.0.1:0', ...MAY_FAIL], {
      env: { TERM_AFTER: '1.5' },
    });
    const first = await starter.program.announced('ready');
    await waitUntil('generation 1', () => starter.status().startsWith('1:'));
    t.match(await starter.command('--restart', '--restart-timeout=0.5'), { code: 1, stderr: /took longer than 0\.5 seconds/ });
    await starter.said(`old worker ${first.pid} died`);
    writeFileSync(join(folder, 'EXIT'), '3');
    t.match(await starter.command('--restart'), { code: 1, stderr: /failed to start 3 times; the last one exited with code 3/ });
    t.equal((await ask(portOf(first)))[1], 2, 'the old worker goes on serving');
    const waiting = starter.command('--restart');
    starter.signal('SIGTERM');
    t.match(await waiting, { code: 1 });
  },
);

t.test('--status shows a table, --json more', { skip: skipWithoutFlock }, async (t) => {
  const starter = startStarter(t, ['--interval=0.1', '--workers=2', ...COMMAND], { env: { TERM_AFTER: '0.5' } });
  await starter.program.announced('ready', 2);
  await waitUntil('both', () => /^1:\d+\n1:\d+\n$/.test(starter.status()));
  const details = (): { deploying: boolean } => JSON.parse(readFileSync(`${starter.statusFile}.json`, 'utf8')) as { deploying: boolean };
  await waitUntil('the end of the start', () => !details().deploying);
  const [a, b] = starter.program.pids.slice(1);
  process.kill(a!, 'SIGKILL');
  await waitUntil(
    'a replacement',
    () => starter.status().includes('2:'),
    () => starter.program.report(),
  );
  const { stdout } = await starter.command('--status');
  const [head, ...rows] = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  t.same(head, ['generation', 'pid', 'worker', 'state', 'age', 'restarts']);
  t.same(
    rows.map(([generation, , , state]) => [generation, state]),
    [
      ['1', 'serving'],
      ['2', 'serving'],
    ],
  );
  t.equal(rows[0]![1], String(b));
  t.equal(rows[1]![5], '1');
  t.match(rows[0]![4], /^\d+s$/);
  const json = JSON.parse((await starter.command('--status', '--json')).stdout) as Record<string, unknown>;
  t.match(json, {
    pid: starter.pid,
    generation: 2,
    failedStarts: 0,
    workers: [{ pid: b, state: 'serving', restarts: 0 }, { restarts: 1 }],
  });
  await starter.stop();
  t.match(await starter.command('--status'), { code: 1 });
  t.notOk(existsSync(`${starter.statusFile}.json`));
});

t.test('--daemonize: a new session, errors in the foreground, output to --log-file', { skip: skipWithoutFlock }, async (t) => {
  const folder = scratch(t);
  const log = join(folder, 'log');
  const files = [`--pid-file=${folder}/pid`, `--status-file=${folder}/status`];
  const failed = await run([...files, '--daemonize', `--log-file=${log}`, '--port=192.0.2.1:0', ...COMMAND]);
  t.match(failed, { code: 1, stderr: /failed to bind to 192\.0\.2\.1:0/ });
  t.notOk(existsSync(`${folder}/pid`));
  const { code, stderr } = await run([...files, '--daemonize', `--log-file=${log}`, '--port=127.0.0.1:0', '--interval=0.1', ...COMMAND]);
  t.equal(code, 0);
  const pid = Number(readFileSync(`${folder}/pid`, 'utf8'));
  t.match(stderr, `start_server (pid:${pid}) starting now...\n`);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  const session = stat[3];
  t.not(session, String(pid), 'it is not the leader of its session');
  t.not(session, readFileSync('/proc/self/stat', 'utf8').split(') ')[1]!.split(' ')[3], 'it is in a new session');
  await waitUntil('a worker', () => readFileSync(log, 'utf8').includes('"ready"'));
  t.match(readFileSync(log, 'utf8'), /^starting new worker \d+\n/);
  t.match(readFileSync(log, 'utf8'), 'a line on stderr');
  t.match(await run([...files, '--stop']), { code: 0, stderr: /^stop_server \(pid:\d+\) stopping now \(pid:\d+\)\.\.\.\n$/ });
  t.notOk(isRunning(pid));
  t.match(readFileSync(log, 'utf8'), /exiting\n$/);
});

t.test('--log-file="| command": a command that exits is restarted, and nothing written in between is lost', async (t) => {
  const folder = scratch(t);
  const log = join(folder, 'log');
  // Reads one line at a time from the pipe, and exits after the first few.
  const reader = `n=0; while IFS= read -r line; do echo "$line" >> ${log}; n=$((n+1)); [ $n = 3 ] && exit 5; done`;
  const lines = 40;
  const writer = `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i"; done; exec sleep 100`;
  const child = spawn(process.execPath, [MAIN, '--interval=0.1', `--log-file=| ${reader}`, '--', 'sh', '-c', writer], { stdio: 'ignore' });
  const exited = new Promise((done) => child.once('exit', (...how) => done(how)));
  t.teardown(() => child.kill('SIGKILL'));
  const read = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
  await waitUntil('two readers', () => (read().match(/line \d+/g) ?? []).length >= 4, read);
  child.kill('SIGTERM');
  t.same(await exited, [0, null], 'a log command that exited does not stop it');
  const numbers = [...read().matchAll(/^line (\d+)$/gm)].map(([, number]) => Number(number));
  t.same(
    numbers,
    numbers.map((_, index) => index + 1),
    'in order, with no line missing',
  );
});

t.test('the log command reads the last messages', async (t) => {
  const folder = scratch(t);
  const log = join(folder, 'log');
  const starter = startStarter(t, [`--log-file=| cat > ${log}`, '--interval=0.1', ...COMMAND]);
  await waitUntil('a worker', () => existsSync(log) && readFileSync(log, 'utf8').includes('"ready"'));
  const { stdout_blocks: blocks } = JSON.parse(/\{.*ready.*\}/.exec(readFileSync(log, 'utf8'))![0]) as Record<string, unknown>;
  t.equal(blocks, true, 'writing to the pipe blocks in a worker');
  await starter.stop();
  t.match(readFileSync(log, 'utf8'), /worker \d+ died, status:0\nexiting\n$/);
});
