import { spawnSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { get } from '../../support/http/client.js';
import { start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { freePort } from '../../support/sockets.js';
import { ROOT } from '../../support/sources.js';

const COMMAND = join(ROOT, 'dist/gracehttp/auto/cli/main.js');
const SERVER = `
  const server = require('node:http').createServer((request, response) => response.setHeader('x-pid', process.pid).end('hello'));
  server.listen(Number(process.argv[2]), '127.0.0.1', () => {
    console.log(JSON.stringify({ event: 'ready', pid: process.pid, main: require.main === module, argv: process.argv.slice(2) }));
  });
  server.on('request', () => undefined);
  require('node:http').createServer().listen(0);
`;

function project(t: Test, grace?: object): string {
  const folder = scratch(t);
  mkdirSync(join(folder, 'node_modules/.bin'), { recursive: true });
  symlinkSync(ROOT, join(folder, 'node_modules/ts-grace'));
  writeFileSync(join(folder, 'server.cjs'), SERVER);
  symlinkSync('../../server.cjs', join(folder, 'node_modules/.bin/serve-it'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'user', grace }));
  return folder;
}

function run(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { status: number | null; stdout: string; stderr: string } {
  const { PATH = '' } = process.env;
  return spawnSync(process.execPath, [COMMAND, ...args], { cwd: folder, env: { PATH, ...env }, encoding: 'utf8' });
}

for (const name of ['server.cjs', './server.cjs', 'serve-it']) {
  t.test(`ts-grace ${name} runs the program as node does, and restarts it`, async (t) => {
    const port = await freePort();
    const folder = project(t);
    const program = start(t, COMMAND, { cwd: folder, args: [name, String(port), '--flag'], env: { GRACE_FOLLOW: 'false' } });
    t.match(await program.announced('ready'), { pid: program.pid, main: true, argv: [String(port), '--flag'] });
    process.kill(program.pid, 'SIGUSR2');
    const { pid } = await program.announced('ready', 2);
    t.match(await program.exited, { code: 0 });
    t.equal((await get({ port })).pid, pid);
  });
}

t.test('ts-grace says what is wrong', async (t) => {
  const folder = project(t);
  t.match(run(folder, []), { status: 1, stderr: /no program/ });
  t.match(run(folder, ['nothing.js']), { status: 1, stderr: 'ts-grace: there is no program "nothing.js"\n' });
  t.match(run(folder, ['--inspect', 'server.cjs']), { status: 1, stderr: /node --inspect --import ts-grace\/auto/ });
  t.match(run(folder, ['--help']), { status: 0, stdout: /^Usage: ts-grace/ });
  t.match(run(folder, ['--version']), { status: 0, stdout: /^\d+\.\d+\.\d+\n$/ });
  const mistake = { GRACE_DRAIN_TIMEOUT: 'soon' };
  t.match(run(folder, ['server.cjs', '0'], mistake), {
    status: 1,
    stderr: 'ts-grace: GRACE_DRAIN_TIMEOUT is "soon", expected a whole number of milliseconds from 0 to 2147483647\n',
  });
  const inFile = project(t, { drainTimout: 1 });
  t.match(run(inFile, ['server.cjs', '0']), { status: 1, stderr: /package.json has no option drainTimout: did you mean drainTimeout\?/ });
});

t.test('ts-grace check says what would happen', async (t) => {
  const folder = project(t, { drainTimeout: 9_000, listen: '127.0.0.1:4444' });
  t.match(run(folder, ['check']), { status: 0, stdout: /drainTimeout: 9000 \(grace.drainTimeout in .*package.json\)/ });
  const env = { GRACE_DRAIN_TIMEOUT: '8000', NOTIFY_SOCKET: '/run/x' };
  const checked = run(folder, ['check', 'server.cjs', '4444'], env);
  t.match(checked, { status: 0 }, checked.stderr);
  for (const line of [
    /drainTimeout: 8000 \(GRACE_DRAIN_TIMEOUT\)/,
    /systemd/,
    /Restart: possible/,
    /Would hand over: 127.0.0.1:4444/,
    /Stays alone: port 0/,
  ]) {
    t.match(checked.stdout, line);
  }
  t.match(run(folder, ['check', 'server.cjs', '5555']).stdout, /Stays alone: 127.0.0.1:5555, which is not in listen/);
  const refused = run(folder, ['check'], { SERVER_STARTER_GENERATION: '1', SERVER_STARTER_PORT: '80=3' });
  t.match(refused, { status: 1, stdout: /Restart: refused.*start_server/ });
  t.match(run(folder, ['check', '--help']), { status: 0, stdout: /^Usage: ts-grace/ });
});
