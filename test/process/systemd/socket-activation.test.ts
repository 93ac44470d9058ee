import { once } from 'node:events';
import { statSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { get } from '../../support/http/client.js';
import { type Program, fixture, start } from '../../support/program.js';
import { writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { skipUnlessRuns } from '../../support/skip.js';
import { waitUntil } from '../../support/wait.js';

const ACTIVATE = 'systemd-socket-activate';
const skip = skipUnlessRuns(ACTIVATE, '--version');

/** Serves the addresses that its file asks for; a test may replace the file before a restart. */
const asking = (...listen: string[]): string =>
  `process.argv[2] = ${JSON.stringify(JSON.stringify({ http: listen }))};\nawait import('${fixture('server')}');\n`;

interface Activated {
  readonly program: Program;
  /** Where writeRelease() puts the next release. */
  readonly folder: string;
  readonly paths: readonly string[];
}

/** Starts a program as systemd does: its sockets a.sock and b.sock exist before it, and a connection starts it. */
async function activate(t: Test, names: string, ask: (paths: readonly string[]) => string): Promise<Activated> {
  const folder = scratch(t);
  const paths = ['a.sock', 'b.sock'].map((name) => join(folder, name));
  const path = writeRelease(folder, ask(paths));
  const listen = paths.map((path) => `-l ${path}`).join(' ');
  const program = start(t, path, { shell: `exec ${ACTIVATE} ${listen} --fdname=${names} "$NODE" "$PROGRAM"` });
  await wake(paths[0]!);
  return { program, folder, paths };
}

/** Connects as soon as the socket listens, and closes the connection: that is enough to start the program. */
async function wake(socketPath: string): Promise<void> {
  await waitUntil(`a listener on ${socketPath}`, async () => {
    const socket = net.connect(socketPath);
    const connected = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return connected;
  });
}

/** The pids that answer at some paths. */
function pidsAt(paths: readonly string[]): Promise<number[]> {
  return Promise.all(paths.map(async (socketPath) => (await get({ socketPath })).pid));
}

async function stop(program: Program): Promise<void> {
  await program.announced('ready', program.all('restarted').length + 1);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
}

async function restart(program: Program): Promise<void> {
  const count = program.all('restarted').length;
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('restarted', count + 1);
  await program.announced('ready', count + 2);
}

t.test('sockets by name, in another order than they were passed', { skip }, async (t) => {
  const { program, paths } = await activate(t, 'web:admin', () => asking('systemd:admin', 'systemd:web'));
  const [a, b] = paths.map((path) => `unix:${path}`);
  t.same((await program.announced('ready'))['addresses'], [b, a]);
  t.same(await pidsAt(paths), [program.pid, program.pid]);
  const files = paths.map((path) => statSync(path).ino);
  await restart(program);
  t.same(program.all('ready')[1]!['addresses'], [b, a], 'also after a restart');
  t.same(await pidsAt(paths), [program.serving, program.serving]);
  await stop(program);
  t.same(
    paths.map((path) => statSync(path).ino),
    files,
    'the files belong to systemd and stay',
  );
  t.notMatch(program.stderr, /warning:/);
});

t.test('several sockets of one name', { skip }, async (t) => {
  const { program, paths } = await activate(t, 'web:web', () => asking('systemd:web', 'systemd:web'));
  const addresses = paths.map((path) => `unix:${path}`);
  t.same((await program.announced('ready'))['addresses'], addresses, 'in the order they were passed');
  await restart(program);
  t.same(program.all('ready')[1]!['addresses'], addresses);
  await stop(program);
});

t.test('a name that was not passed', { skip }, async (t) => {
  for (const asked of ['systemd:metrics', 'systemd:metrics|127.0.0.1:0']) {
    const { program } = await activate(t, 'web:admin', () => asking('systemd:web', asked));
    const error = await program.announced('error');
    t.match(error, { name: 'GraceError', code: 'SOCKET_NOT_PASSED', value: 'systemd:metrics' }, asked);
    t.match(error['message'], /passed were: web, admin$/, 'the message lists the names that were passed');
    t.same(await program.exited, { code: 1, signal: null });
  }
});

t.test('a later version may ask by the name from systemd for a socket that an earlier one asked for by path', { skip }, async (t) => {
  const { program, folder, paths } = await activate(t, 'web:admin', ([a, b]) => asking(`unix:${a}`, `unix:${b}`));
  const { addresses } = await program.announced('ready');
  writeRelease(folder, asking('systemd:admin', 'systemd:web'));
  await restart(program);
  t.same(program.all('ready')[1]!['addresses'], [...(addresses as string[])].reverse());
  t.same(await pidsAt(paths), [program.serving, program.serving]);
  await stop(program);
});

t.test('a passed socket without a server is a warning, as its clients get no answer', { skip }, async (t) => {
  const { program } = await activate(t, 'web:admin', () => asking('systemd:web'));
  await program.announced('ready');
  await stop(program);
  t.match(program.stderr, /warning: systemd passed a socket \(name admin, fd 4\) that no server listens on/);
});

t.test('not started by systemd', async (t) => {
  await t.test('the address after the name is bound and handed over', async (t) => {
    const folder = scratch(t);
    const program = start(t, writeRelease(folder, asking('systemd:web|127.0.0.1:0')));
    const { addresses } = await program.announced('ready');
    const [address] = addresses as string[];
    t.match(address, /^127\.0\.0\.1:\d+$/);
    await restart(program);
    for (const listen of [address!, `systemd:web|${address}`]) {
      writeRelease(folder, asking(listen));
      await restart(program);
      t.same(program.all('ready').at(-1)!['addresses'], addresses, listen);
    }
    writeRelease(folder, asking(`systemd:web|${address}`, 'systemd:admin|127.0.0.1:0'));
    await restart(program);
    t.equal((program.all('ready').at(-1)!['addresses'] as string[]).length, 2, 'a successor binds the new address');
    await stop(program);
  });

  await t.test('a name alone is an error', async (t) => {
    const program = start(t, fixture('server'), { args: [JSON.stringify({ http: ['systemd:web'] })] });
    const { code, message } = await program.announced('error');
    t.equal(code, 'SOCKET_NOT_PASSED');
    t.match(message, /no socket named "web" was passed to this process; no sockets were passed/);
  });

  await t.test('sockets that are meant for another process do not count', async (t) => {
    const program = start(t, fixture('server'), {
      args: [JSON.stringify({ http: ['systemd:web|127.0.0.1:0'] })],
      env: { LISTEN_FDS: '1', LISTEN_PID: '1', LISTEN_FDNAMES: 'web' },
    });
    t.match((await program.announced('ready'))['addresses'], [/^127\.0\.0\.1:\d+$/]);
    await stop(program);
  });
});
