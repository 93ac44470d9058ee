import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { scratch } from '../../support/scratch.js';
import { type Outcome, plain, run, skipWithoutFlock, startStarter } from '../../support/starter.js';

const COMMAND = ['--', ...plain()];

/** Exit code 1, and one line on stderr. */
function fails(t: Tap, { code, stderr, stdout }: Outcome, message: RegExp): void {
  const lines = stderr
    .trimEnd()
    .split('\n')
    .filter((line) => !line.endsWith('starting now...'));
  t.equal(code, 1, stderr);
  t.equal(stdout, '');
  t.equal(lines.length, 1, stderr);
  t.match(lines[0], message);
}
type Tap = Parameters<typeof scratch>[0];

t.test('usage errors', async (t) => {
  const cases: [string[], RegExp][] = [
    [[], /server program not specified/],
    [['--nonsense', ...COMMAND], /Unknown option '--nonsense'/],
    [['--port', ...COMMAND], /--port/],
    [['--port=http', ...COMMAND], /invalid "port" value:http/],
    [['--port=65536', ...COMMAND], /invalid "port" value:65536/],
    [['--port=[::g]:80', ...COMMAND], /invalid "port" value/],
    [['--port=80=1', ...COMMAND], /descriptor 1 is where the server's output goes/],
    [['--port=81=5', '--port=82=5', ...COMMAND], /81 and 82 both ask for descriptor 5/],
    [['--interval=soon', ...COMMAND], /--interval=soon, expected a number/],
    [['--workers=0', ...COMMAND], /--workers is 0, expected a whole number/],
    [['--signal-on-hup=NONSENSE', ...COMMAND], /--signal-on-hup is "NONSENSE"/],
    [['--daemonize', ...COMMAND], /--daemonize requires --log-file/],
    [['--restart', '--pid-file=x'], /--restart requires --status-file/],
    [['--stop'], /--stop requires --pid-file/],
    [['--dir=/nonexistent', ...COMMAND], /failed to chdir:\/nonexistent/],
    [['--', 'no-such-program'], /failed to exec no-such-program: no such file in PATH/],
    [['--', './no/such/program'], /no such file/],
    [['--', '/etc/passwd'], /\/etc\/passwd is not executable \(EACCES\)/],
    [['--', '/etc'], /not executable/],
    [['--port=no.such.host.invalid:80', ...COMMAND], /failed to bind to no\.such\.host\.invalid:80: the host name does not resolve/],
    [['--port=192.0.2.1:0', ...COMMAND], /failed to bind to 192\.0\.2\.1:0: this machine has no such address/],
    [['--log-file=/nonexistent/log', ...COMMAND], /failed to open log file:\/nonexistent\/log/],
    [['--log-file=| ', ...COMMAND], /no command after the \|/],
    [['--status-file=/nonexistent/status', ...COMMAND], /failed to create status file:\/nonexistent\/status/],
    [['--path=/nonexistent/app.sock', ...COMMAND], /failed to listen to file \/nonexistent\/app\.sock/],
    [[`--path=/tmp/${'x'.repeat(120)}`, ...COMMAND], /longer than the 107 bytes/],
  ];
  if (skipWithoutFlock === false) cases.push([['--pid-file=/nonexistent/pid', ...COMMAND], /failed to open file:\/nonexistent\/pid/]);
  for (const [args, message] of cases) fails(t, await run(args), message);
  fails(t, await run(COMMAND, { AUTO_RESTART_INTERVAL: 'often' }), /AUTO_RESTART_INTERVAL="often", expected a number of seconds/);
});

t.test('a port in use: nothing is left behind', async (t) => {
  const folder = scratch(t);
  const server = net.createServer().listen(0, '127.0.0.1');
  const udp = createSocket('udp4').bind(0, '127.0.0.1');
  await Promise.all([once(server, 'listening'), once(udp, 'listening')]);
  t.teardown(() => {
    server.close();
    udp.close();
  });
  const tcp = (server.address() as net.AddressInfo).port;
  const pidFile = skipWithoutFlock === false ? [`--pid-file=${folder}/pid`] : [];
  const files = [...pidFile, `--status-file=${folder}/status`, `--path=${folder}/app.sock`, '--port=127.0.0.1:0'];
  const taken = /failed to bind to 127\.0\.0\.1:\d+: process \d+ \(.*\) listens there/;
  fails(t, await run([...files, `--port=127.0.0.1:${tcp}`, ...COMMAND]), taken);
  fails(t, await run([...files, `--port=127.0.0.1:u${udp.address().port}`, ...COMMAND]), /failed to bind to .*listens there/);
  t.same(readdirSync(folder), []);
});

t.test('a path: a stale socket is removed, a socket in use or any other file is not', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const first = startStarter(t, [`--path=${path}`, ...COMMAND]);
  const { pid } = await first.program.announced('ready');
  fails(t, await run([`--path=${path}`, ...COMMAND]), /failed to listen to file .*listens there/);
  first.signal('SIGKILL');
  process.kill(pid, 'SIGKILL');
  await first.program.ended();
  t.ok(existsSync(path));
  const second = startStarter(t, [`--path=${path}`, ...COMMAND]);
  await second.program.announced('ready');
  await second.said(`removing existing socket file:${path}`);
  await second.stop();
  t.notOk(existsSync(path));
  writeFileSync(path, 'precious');
  fails(t, await run([`--path=${path}`, ...COMMAND]), /exists and is not a socket/);
  t.ok(existsSync(path));
  mkdirSync(join(folder, 'directory'));
  fails(t, await run([`--path=${join(folder, 'directory')}`, ...COMMAND]), /exists and is not a socket/);
});

t.test('the pid file of a running start_server is refused, a stale one is taken over', { skip: skipWithoutFlock }, async (t) => {
  const starter = startStarter(t, COMMAND);
  await starter.program.announced('ready');
  fails(t, await starter.command(...COMMAND), new RegExp(`already running: process ${starter.pid} has locked the pid file`));
  t.match(await starter.command('--status'), { code: 0 });
  await starter.stop();
  // The pid of a process that is running, but is not start_server.
  writeFileSync(starter.pidFile, `${process.pid}\n`);
  fails(t, await starter.command('--stop'), /was left behind/);
  const next = startStarter(t, COMMAND, { folder: starter.folder });
  await next.program.announced('ready');
  t.match(await next.command('--stop'), { code: 0 });
  fails(t, await next.command('--stop'), /failed to open file/);
});

t.test('a program of the system that start_server needs and does not find is named, before anything is bound', async (t) => {
  const folder = scratch(t);
  const needs = [
    [`--pid-file=${folder}/pid`, /needs flock to lock the --pid-file, but cannot find it: install util-linux or busybox/],
    ['--log-file=| cat', /needs mkfifo for a command as --log-file, but cannot find it: install coreutils/],
  ] as const;
  for (const [option, message] of needs) {
    fails(t, await run([option, `--path=${folder}/app.sock`, ...COMMAND], { PATH: folder }), message);
    t.same(readdirSync(folder), [], 'nothing is left behind');
  }
  const pidFile = join(folder, 'pid');
  writeFileSync(pidFile, `${process.pid}\n`);
  fails(t, await run(['--stop', `--pid-file=${pidFile}`], { PATH: folder }), /needs flock/);
});
