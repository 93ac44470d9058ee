import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { scratch } from '../support/certificate.js';
import { type Held, holdConnection, holdFile, holdListener, holdPath, holdUdp } from '../support/hold.js';
import { ask } from '../support/http.js';
import { type Program, fixture, start } from '../support/program.js';
import { waitUntil } from '../support/wait.js';

/** As systemd does: the pid in LISTEN_PID is the program's own. */
const BY_SYSTEMD = 'LISTEN_PID=$$ exec "$NODE" "$PROGRAM" "$ARGUMENT"';

interface Passed {
  readonly env: Readonly<Record<string, string>>;
  readonly passed?: readonly number[];
  readonly program?: string;
  readonly shell?: string;
}

function serve(t: Test, argument: object, { env, passed = [], program = 'server', shell = BY_SYSTEMD }: Passed): Program {
  return start(t, fixture(program), { shell, passed, env: { ...env, ARGUMENT: JSON.stringify(argument) } });
}

/** The backlog of a listening TCP socket, by ss(8), whose Send-Q column it is. */
async function backlog(port: number): Promise<number> {
  const ss = spawn('ss', ['-Hltn', `sport = :${port}`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await ss.stdout.setEncoding('utf8').toArray()) as [string];
  return Number(line.trim().split(/\s+/)[2]);
}

t.test('sockets from systemd: by name, by address, by order', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'x.sock');
  const [web, other, unix] = [await holdListener('127.0.0.1'), await holdListener('::1'), await holdPath(path)];
  t.teardown(() => [web, other, unix].forEach((held) => held.close()));
  const argument = { http: ['systemd:web', `[::1]:${other.port}`, 'unix:/any/path'] };
  const env = { LISTEN_FDS: '3', LISTEN_FDNAMES: 'other:web:unknown' };
  const program = serve(t, argument, { env, passed: [other.fd, web.fd, unix.fd] });
  const { addresses } = await program.announced('ready');
  t.match(addresses, [`127.0.0.1:${web.port}`, `[::1]:${other.port}`, `unix:${path}`]);
  // Whoever else holds the sockets must not take their connections.
  [web, other, unix].forEach((held) => held.close());
  t.equal(await ask(`localhost:${web.port}`), 'slept 0');
  process.kill(program.pid, 'SIGUSR2');
  t.same((await program.announced('ready', 2)).addresses, addresses, 'and over a restart');
});

t.test('the backlog of a socket never shrinks', async (t) => {
  const held = await holdListener('127.0.0.1');
  const before = await backlog(held.port);
  t.ok(before >= 900, `${before} before`);
  const program = serve(t, { http: ['systemd:web'] }, { env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' }, passed: [held.fd] });
  await program.announced('ready');
  held.close();
  t.ok((await backlog(held.port)) >= before);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  t.ok((await backlog(held.port)) >= before);
});

t.test('LISTEN_PID of another process means that nothing was passed', async (t) => {
  const held = await holdListener('127.0.0.1');
  t.teardown(() => held.close());
  const program = serve(t, { http: ['127.0.0.1:0'] }, {
    env: { LISTEN_FDS: '1', LISTEN_PID: '1' },
    passed: [held.fd],
    shell: 'exec "$NODE" "$PROGRAM" "$ARGUMENT"',
  });
  const [address] = (await program.announced('ready')).addresses as string[];
  t.not(address, `127.0.0.1:${held.port}`);
});

t.test('sockets from Server::Starter', async (t) => {
  const folder = scratch(t);
  const [tcp, unix] = [await holdListener('127.0.0.1'), await holdPath(join(folder, 'x.sock'))];
  const program = serve(t, { http: [`127.0.0.1:${tcp.port}`, `unix:${folder}/x.sock`] }, {
    env: { SERVER_STARTER_PORT: `127.0.0.1:${tcp.port}=3;${folder}/x.sock=4` },
    passed: [tcp.fd, unix.fd],
  });
  await program.announced('ready');
  [tcp, unix].forEach((held) => held.close());
  t.equal(await ask(`localhost:${tcp.port}`), 'slept 0');
});

const BAD: readonly { name: string; env: Record<string, string>; hold?: (folder: string) => Promise<Held> | Held; message: RegExp }[] = [
  ...['abc', '-1', '1e3', '999999999', ' 1', '0x1'].map((value) => ({
    name: `LISTEN_FDS=${value}`,
    env: { LISTEN_FDS: value },
    message: /LISTEN_FDS/,
  })),
  { name: 'fewer names than sockets', env: { LISTEN_FDS: '2', LISTEN_FDNAMES: 'a' }, message: /LISTEN_FDNAMES/ },
  { name: 'a descriptor that is closed', env: { LISTEN_FDS: '1' }, message: /descriptor 3/ },
  {
    name: 'a file',
    env: { LISTEN_FDS: '1' },
    hold: (folder) => {
      writeFileSync(join(folder, 'file'), 'x');
      return holdFile(join(folder, 'file'));
    },
    message: /descriptor 3 is not a socket/,
  },
  { name: 'a UDP socket', env: { LISTEN_FDS: '1' }, hold: holdUdp, message: /descriptor 3 is a datagram socket/ },
  { name: 'a connection', env: { LISTEN_FDS: '1' }, hold: holdConnection, message: /descriptor 3 is a connected socket/ },
  { name: 'no JSON', env: { GRACE_HANDOFF: '{broken' }, message: /GRACE_HANDOFF/ },
  { name: 'a later version', env: { GRACE_HANDOFF: '{"version":99}' }, message: /version is 99/ },
  { name: 'no descriptor', env: { SERVER_STARTER_PORT: '8080' }, message: /SERVER_STARTER_PORT/ },
  { name: 'a closed descriptor', env: { SERVER_STARTER_PORT: '8080=3' }, message: /SERVER_STARTER_PORT/ },
];

t.test('what is passed wrongly is an error that names it', async (t) => {
  const folder = scratch(t);
  for (const { name, env, hold, message } of BAD) {
    const held = await hold?.(folder);
    const program = serve(t, { http: ['127.0.0.1:0'] }, { env, passed: held === undefined ? [] : [held.fd] });
    const error = await program.announced('error');
    t.match(error, { name: 'GraceError', code: 'INHERITANCE_INVALID', message }, name);
    const subject = Object.keys(env).find((variable) => String(error['subject']) === variable);
    t.ok(subject !== undefined && error['value'] === env[subject], `${name}: variable and value are named`);
    t.same(await program.exited, { code: 1, signal: null }, `${name}: the process ends as usual`);
    held?.close();
  }
});

t.test('a GRACE_HANDOFF that leaked or was forged is as if absent', async (t) => {
  const socket = { fd: 4, asked: '127.0.0.1:0', bound: { kind: 'tcp', host: '127.0.0.1', port: 1 }, backlog: 511, origin: 'bound' };
  const forged = JSON.stringify({ version: 1, pid: process.pid, generation: 7, pipe: 3, nonce: 'guess', sockets: [socket] });
  for (const passed of [[], ['pipe', 'pipe']] as const) {
    const program = start(t, fixture('server'), { args: ['{"http":["127.0.0.1:0"]}'], env: { GRACE_HANDOFF: forged }, passed });
    t.match(await program.announced('ready'), { generation: 1 }, `${passed.length === 0 ? 'no' : 'a silent'} pipe`);
  }
});

t.test('what a process inherits stays its own', async (t) => {
  const held = await holdListener('127.0.0.1');
  const program = serve(t, { listen: 'systemd:web' }, {
    env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
    passed: [held.fd],
    program: 'grandchild',
  });
  const first = [await program.announced('grandchild', 1), await program.announced('grandchild', 2)];
  process.kill(program.pid, 'SIGUSR2');
  const second = [await program.announced('grandchild', 3), await program.announced('grandchild', 4)];
  held.close();
  for (const { sockets, names } of [...first, ...second]) t.same({ sockets, names }, { sockets: [], names: [] });
  await program.exited;
});

t.test('a path is never taken from a server that lives, nor a file removed', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const first = start(t, fixture('server'), { args: [JSON.stringify({ http: [`unix:${path}`] })] });
  await first.announced('ready');
  const second = start(t, fixture('server'), { args: [JSON.stringify({ http: ['127.0.0.1:0', `unix:${path}`] })] });
  t.match(await second.announced('error'), { code: 'ADDRESS_IN_USE', value: `unix:${path}` });
  await second.ended();
  t.equal(await ask(`unix:${path}`), 'slept 0', 'the first serves on');
  process.kill(first.pid, 'SIGKILL');
  await once(first.process, 'exit');
  const third = start(t, fixture('server'), { args: [JSON.stringify({ http: [`unix:${path}`] })] });
  await third.announced('ready');
  await waitUntil('an answer', async () => (await ask(`unix:${path}`)) === 'slept 0');
  t.pass('a stale socket is replaced');
});
