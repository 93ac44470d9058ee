import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readStatus } from '../../../starter/control/status-file.js';
import { portOf } from '../../support/address.js';
import { isAlive, processorTicks, takeFreeDescriptors } from '../../support/proc.js';
import { fixture } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { skipUnless, skipUnlessFound, skipUnlessRuns } from '../../support/skip.js';
import { ask, plain, plainIn, run, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

t.setTimeout(240_000);

const SERVER = [process.execPath, fixture('server')];

t.test('a log command that cannot run fails the start', async (t) => {
  for (const [command, how] of [
    ['no-such-command', 'exited with code 127'],
    ['exit 3', 'exited with code 3'],
  ] as const) {
    const path = join(scratch(t), 'app.sock');
    const failed = await run([`--log-file=| ${command}`, `--path=${path}`, '--', ...plain()]);
    t.match(failed, { code: 1, stderr: new RegExp(`start_server: the log command ${how} at once: \\| ${command}\n$`) });
    t.notOk(existsSync(path));
  }
});

t.test(
  'workers do not block on a log command that died: the pipe is drained, the reason is on stderr, and the next one gets the lines',
  async (t) => {
    const folder = scratch(t);
    const [log, broken, more, done] = ['log', 'broken', 'more', 'done'].map((name) => join(folder, name));
    // With the file "broken" it exits at once; it also exits when it reads "stop".
    const command = `[ ! -e ${broken} ] || exit 5; while IFS= read -r line; do [ "$line" = stop ] && exit 5; echo "$line" >> ${log}; done`;
    // Far more than the 64 KiB of a pipe.
    const [lines, long] = [150, 'x'.repeat(2_000)];
    const writer = [
      `while [ ! -e ${broken} ]; do sleep 0.05; done`,
      'echo stop',
      `while [ ! -e ${more} ]; do sleep 0.05; done`,
      `i=0; while [ $i -lt ${lines} ]; do i=$((i+1)); echo "line $i ${long}"; done`,
      `echo done > ${done}; exec sleep 1000`,
    ];
    const starter = startStarter(t, [`--log-file=| ${command}`, '--interval=0.1', '--', 'sh', '-c', writer.join('; ')]);
    const isStartedAgainAfter = (seconds: number): Promise<void> =>
      starter.program.logged(new RegExp(`start_server: the log command exited with code 5, it is started again after ${seconds} seconds`));
    await waitUntil('the first lines', () => existsSync(log!));
    writeFileSync(broken!, '');
    await isStartedAgainAfter(0);
    await isStartedAgainAfter(2);
    writeFileSync(more!, '');
    await waitUntil(
      'the last line of the worker',
      () => existsSync(done!),
      () => starter.program.stderr,
    );
    // This command exits too, with more in front of it than the pipe has room for.
    await isStartedAgainAfter(4);
    rmSync(broken!);
    await waitUntil(
      'the lines',
      () => readFileSync(log!, 'utf8').includes(`line ${lines} `),
      () => starter.program.stderr,
    );
    const numbers = [...readFileSync(log!, 'utf8').matchAll(/^line (\d+) /gm)].map(([, number]) => Number(number));
    t.same(
      numbers,
      Array.from({ length: lines }, (_, index) => index + 1),
      'in order, with no line missing',
    );
    t.match(await starter.stop(), { code: 0 });
  },
);

t.test(
  'without a free descriptor no worker can be started; it says so, and goes on when there is one',
  { skip: skipUnlessFound('prlimit') },
  async (t) => {
    const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.2', '--', ...plain()]);
    const first = await starter.program.announced('ready');
    await waitUntil('generation 1', () => starter.status().startsWith('1:'));
    const giveBack = takeFreeDescriptors(starter.pid);
    starter.signal('SIGHUP');
    await starter.said(/failed to start .*EMFILE/, 2);
    t.same(await ask(portOf(first)), [first.pid, 1]);
    process.kill(first.pid, 'SIGKILL');
    await starter.said(/failed to start .*EMFILE/, 3);
    giveBack();
    const next = await starter.program.announced('ready', 2);
    t.equal((await ask(portOf(first)))[0], next.pid);
    t.match(await starter.stop(), { code: 0 });
  },
);

const skipWithoutRoot =
  skipUnless(() => process.getuid?.() === 0, 'needs root') || skipUnlessRuns('setpriv', '--reuid=65534', '--clear-groups', 'true');
t.test('EPERM from kill, of a worker that changed its user, is reported', { skip: skipWithoutRoot }, async (t) => {
  // The worker is of another user than start_server, which must not send it a signal.
  const server = ['setpriv', '--reuid=65533', '--clear-groups', '--inh-caps=-all', ...plainIn('perl')];
  const folder = scratch(t);
  const worker = ['perl', '-e', 'use POSIX; POSIX::setuid(65533); exec @ARGV or die $!', ...server.slice(4)];
  const shell = `exec setpriv --reuid=65534 --clear-groups --ambient-caps=+setuid --inh-caps=+setuid "$NODE" "$PROGRAM" --port=127.0.0.1:0 --interval=0.2 -- ${worker.map((word) => `'${word}'`).join(' ')}`;
  const starter = startStarter(t, [], { shell, folder });
  const first = await starter.program.announced('ready');
  starter.signal('SIGHUP');
  await starter.program.announced('ready', 2);
  await starter.said(`cannot send SIGTERM to process ${first.pid}: EPERM`);
  starter.signal('SIGHUP');
  await starter.program.announced('ready', 3);
  await starter.said('cannot send SIGTERM', 2);
  t.ok(isAlive(starter.pid));
  t.equal((await ask(first['port'] as number)).length, 2);
  starter.signal('SIGTERM');
  await starter.said('received TERM');
  for (const { pid } of starter.program.all('ready')) process.kill(pid, 'SIGKILL');
  t.match(await starter.program.exited, { code: 0 });
});

t.test('SIGUSR1 does not open an inspector, and no such signal ends it', async (t) => {
  const starter = startStarter(t, ['--interval=0.1', '--', ...plain()]);
  await starter.program.announced('ready');
  for (const name of ['SIGUSR1', 'SIGPIPE', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPWR', 'SIGXCPU', 'SIGXFSZ', 'SIGWINCH'] as const)
    starter.signal(name);
  await starter.said('received USR1, which means nothing to start_server');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  t.notMatch(starter.program.stderr, /Debugger listening/);
  t.match(await starter.stop(), { code: 0 });
});

t.test('if nobody reads its stderr, it works on, and is idle in between', async (t) => {
  const worker = ['sh', '-c', 'exec "$@" 2>/dev/null', 'sh', ...plain()];
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.1', '--', ...worker]);
  const port = portOf(await starter.program.announced('ready'));
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  starter.program.process.stderr!.destroy();
  starter.signal('SIGHUP');
  const next = await starter.program.announced('ready', 2);
  await waitUntil('the end of the deploy', () => starter.status() === `2:${next.pid}\n`);
  t.same(await ask(port), [next.pid, 2]);
  let [ticks, since] = [processorTicks(starter.pid), performance.now()];
  await waitUntil('a fifth of a second without use of a processor', () => {
    const now = processorTicks(starter.pid);
    if (now !== ticks) [ticks, since] = [now, performance.now()];
    return performance.now() - since > 200;
  });
  t.match(await starter.stop(), { code: 0 });
});

t.test('a second start that fails leaves the files of the first one as they are', async (t) => {
  const folder = scratch(t);
  const first = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.1', '--', ...plain()], { folder });
  const ready = await first.program.announced('ready');
  // The second file is written after the first one, and again when the deployment is over.
  await waitUntil('the end of the first deployment', () => readStatus(first.statusFile)?.deploying === false);
  const before = [first.status(), readFileSync(`${first.statusFile}.json`, 'utf8')];
  // Without the pid file, which it could not lock.
  const second = await run([`--status-file=${first.statusFile}`, `--port=127.0.0.1:${portOf(ready)}`, '--', ...plain()]);
  t.match(second, { code: 1, stderr: /failed to bind/ });
  t.same([first.status(), readFileSync(`${first.statusFile}.json`, 'utf8')], before);
  await first.stop();
});

t.test('after SIGKILL of start_server the next start names the workers that still hold the address', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--workers=2', '--interval=0.1', '--', ...plain()]);
  await starter.program.announced('ready', 2);
  const pids = starter.program
    .all('ready')
    .map(({ pid }) => pid)
    .sort((a, b) => a - b);
  const args = [`--port=127.0.0.1:${portOf(starter.program.all('ready')[0]!)}`, '--', ...plain()];
  const running = await run(args);
  t.match(running, { code: 1, stderr: new RegExp(`process ${starter.pid} `) });
  t.notMatch(running.stderr, 'was killed');
  starter.signal('SIGKILL');
  await starter.program.exited;
  const { code, stderr } = await run(args);
  t.equal(code, 1);
  t.match(
    stderr,
    `${pids.join(', ')} are workers of a start_server that was killed: end them by kill -TERM ${pids.join(' ')}, and then start again`,
  );
  for (const pid of pids) process.kill(pid, 'SIGTERM');
  await starter.program.ended();
});

t.test('a worker that asks for another address than was passed fails, and says what was passed', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=10', '--', ...SERVER, JSON.stringify({ http: ['127.0.0.2:8'] })]);
  const error = await starter.program.announced('error');
  t.match(error, { code: 'SOCKET_NOT_PASSED', subject: 'address', value: '127.0.0.2:8' });
  t.match(
    error['message'],
    /^cannot listen on 127\.0\.0\.2:8: start_server passed 127\.0\.0\.1:\d+; write listen: '127\.0\.0\.1:\d+' here, or give start_server this address$/,
  );
  await starter.stop();
});

t.test('a worker under a start_server that writes another version of the handoff uses SERVER_STARTER_PORT', async (t) => {
  // What a later start_server would set, put in place by a shell between this one and the program.
  const change =
    'GRACE_HANDOFF=$(echo "$GRACE_HANDOFF" | sed "s/\\"version\\":1/\\"version\\":2,\\"more\\":1/"); export GRACE_HANDOFF; exec "$@"';
  const args = ['--port=127.0.0.1:0', '--interval=0.5', '--', 'sh', '-c', change, 'sh', ...SERVER, JSON.stringify({ http: [':0'] })];
  const starter = startStarter(t, args);
  const { pid, addresses } = await starter.program.announced('ready');
  const response = await fetch(`http://127.0.0.1:${portOf((addresses as string[])[0]!)}/`, { headers: { connection: 'close' } });
  t.equal(response.headers.get('x-pid'), String(pid));
  starter.signal('SIGHUP');
  await starter.said(`old worker ${pid} died, status:0`);
  t.match(await starter.stop(), { code: 0 });
});

t.test('serverPorts() in a program that uses gracehttp too', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'release'));
  const program = join(folder, 'release', 'server.mjs');
  const url = (name: string): string => JSON.stringify(import.meta.resolve(name));
  const lines = [
    `import { App } from ${url('ts-grace/gracehttp')};`,
    `import { serverPorts } from ${url('ts-grace/starter')};`,
    `console.log(JSON.stringify({ event: 'ports', pid: process.pid, ports: serverPorts(), app: typeof App }));`,
    `setInterval(() => undefined, 1000);`,
  ];
  writeFileSync(program, lines.join('\n'));
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.2', '--', process.execPath, program]);
  t.match(await starter.program.announced('ports'), { ports: { '127.0.0.1:0': 3 }, app: 'function' });
  await starter.stop();
});
