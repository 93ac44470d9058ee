import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { LARGEST_BACKLOG, backlogOf } from '../../support/http/accept-queue.js';
import { portOf } from '../../support/address.js';
import { getBody } from '../../support/http/client.js';
import { BY_SYSTEMD, type Program, fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { skipUnless, skipUnlessFound } from '../../support/skip.js';
import { connected, descriptorOf, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';
import { startStarter } from '../../support/starter.js';

const BACKLOG = 900;

interface Passed {
  readonly env: Readonly<Record<string, string>>;
  readonly passed?: readonly number[];
  readonly program?: string;
  readonly shell?: string;
}

function serve(t: Test, argument: object, { env, passed = [], program = 'server', shell = BY_SYSTEMD }: Passed): Program {
  return start(t, fixture(program), { shell, passed, env: { ...env, ARGUMENT: JSON.stringify(argument) } });
}

/** A listening socket to pass to a program. Close it when the program has it, or it takes connections too. */
function listenAt(t: Test, where: net.ListenOptions): Promise<net.Server> {
  return listening(t, net.createServer(), { backlog: BACKLOG, ...(where.path === undefined ? { port: 0 } : {}), ...where });
}

t.test('sockets from systemd: by name, by address, by order', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'x.sock');
  const [web, other, unix] = [await listenAt(t, { host: '127.0.0.1' }), await listenAt(t, { host: '::1' }), await listenAt(t, { path })];
  const [webPort, otherPort] = [portOf(web), portOf(other)];
  const argument = { http: ['systemd:web', `[::1]:${otherPort}`, 'unix:/any/path'] };
  const env = { LISTEN_FDS: '3', LISTEN_FDNAMES: 'other:web:unknown' };
  const program = serve(t, argument, { env, passed: [other, web, unix].map(descriptorOf) });
  const { addresses } = await program.announced('ready');
  t.match(addresses, [`127.0.0.1:${webPort}`, `[::1]:${otherPort}`, `unix:${path}`]);
  // Otherwise this process takes connections too.
  [web, other, unix].forEach((held) => held.close());
  t.equal(await getBody(`localhost:${webPort}`), 'slept 0');
  process.kill(program.pid, 'SIGUSR2');
  t.same((await program.announced('ready', 2)).addresses, addresses, 'also after a restart');
});

t.test(
  'the backlog of a socket never shrinks',
  { skip: skipUnless(() => LARGEST_BACKLOG > BACKLOG, 'net.core.somaxconn is too small') },
  async (t) => {
    const held = await listenAt(t, { host: '127.0.0.1' });
    const port = portOf(held);
    const program = serve(t, { http: ['systemd:web'] }, { env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' }, passed: [descriptorOf(held)] });
    await program.announced('ready');
    held.close();
    t.ok((await backlogOf(program.pid, port, BACKLOG)) >= BACKLOG);
    process.kill(program.pid, 'SIGUSR2');
    await program.announced('ready', 2);
    await program.exited;
    t.ok((await backlogOf(program.serving, port, BACKLOG)) >= BACKLOG);
  },
);

t.test('LISTEN_PID of another process means that nothing was passed', async (t) => {
  const held = await listenAt(t, { host: '127.0.0.1' });
  const program = serve(
    t,
    { http: ['127.0.0.1:0'] },
    {
      env: { LISTEN_FDS: '1', LISTEN_PID: '1' },
      passed: [descriptorOf(held)],
      shell: 'exec "$NODE" "$PROGRAM" "$ARGUMENT"',
    },
  );
  const [address] = (await program.announced('ready')).addresses as string[];
  t.not(address, `127.0.0.1:${portOf(held)}`);
});

t.test('sockets from Server::Starter', async (t) => {
  const folder = scratch(t);
  const [tcp, unix] = [await listenAt(t, { host: '127.0.0.1' }), await listenAt(t, { path: join(folder, 'x.sock') })];
  const port = portOf(tcp);
  const program = serve(
    t,
    { http: [`127.0.0.1:${port}`, `unix:${folder}/x.sock`] },
    {
      env: { SERVER_STARTER_PORT: `127.0.0.1:${port}=3;${folder}/x.sock=4` },
      passed: [tcp, unix].map(descriptorOf),
    },
  );
  await program.announced('ready');
  [tcp, unix].forEach((held) => held.close());
  t.equal(await getBody(`localhost:${port}`), 'slept 0');
});

/** Make a descriptor of another kind than a listening socket. */
function openFile(t: Test): number {
  const fd = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(fd));
  return fd;
}

async function bindUdp(t: Test): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')!;
  return (socket as unknown as Record<symbol, { handle: { fd: number } }>)[state]!.handle.fd;
}

async function openConnection(t: Test): Promise<number> {
  const { accepted } = await connected(t, await listenAt(t, { host: '127.0.0.1' }));
  return descriptorOf(accepted);
}

const BAD: readonly { name: string; env: Record<string, string>; make?: (t: Test) => Promise<number> | number; message: RegExp }[] = [
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
    make: openFile,
    message: /descriptor 3 is not a socket/,
  },
  { name: 'a UDP socket', env: { LISTEN_FDS: '1' }, make: bindUdp, message: /descriptor 3 is a datagram socket/ },
  { name: 'a connection', env: { LISTEN_FDS: '1' }, make: openConnection, message: /descriptor 3 is a connected socket/ },
  { name: 'GRACE_HANDOFF that is not JSON', env: { GRACE_HANDOFF: '{broken' }, message: /GRACE_HANDOFF/ },
  { name: 'a later version', env: { GRACE_HANDOFF: '{"version":99}' }, message: /version is 99/ },
  { name: 'no descriptor', env: { SERVER_STARTER_PORT: '8080' }, message: /SERVER_STARTER_PORT/ },
  { name: 'a closed descriptor', env: { SERVER_STARTER_PORT: '8080=3' }, message: /SERVER_STARTER_PORT/ },
];

t.test('an invalid variable or descriptor is an error that names it', async (t) => {
  for (const { name, env, make, message } of BAD) {
    const fd = await make?.(t);
    const program = serve(t, { http: ['127.0.0.1:0'] }, { env, passed: fd === undefined ? [] : [fd] });
    const error = await program.announced('error');
    t.match(error, { name: 'GraceError', code: 'INHERITANCE_INVALID', message }, name);
    const subject = Object.keys(env).find((variable) => String(error['subject']) === variable);
    t.ok(subject !== undefined && error['value'] === env[subject], `${name}: variable and value are named`);
    t.same(await program.exited, { code: 1, signal: null }, `${name}: the process ends as usual`);
  }
});

t.test('a leaked or forged GRACE_HANDOFF is ignored', async (t) => {
  const socket = { fd: 4, asked: '127.0.0.1:0', bound: { kind: 'tcp', host: '127.0.0.1', port: 1 }, backlog: 511, origin: 'bound' };
  const forged = JSON.stringify({ version: 1, pid: process.pid, generation: 7, pipe: 3, nonce: 'guess', sockets: [socket] });
  for (const passed of [[], ['pipe', 'pipe']] as const) {
    const program = start(t, fixture('server'), { args: ['{"http":["127.0.0.1:0"]}'], env: { GRACE_HANDOFF: forged }, passed });
    t.match(await program.announced('ready'), { generation: 1 }, `${passed.length === 0 ? 'no' : 'a silent'} pipe`);
  }
});

t.test('what a process inherits stays its own', async (t) => {
  const held = await listenAt(t, { host: '127.0.0.1' });
  const program = serve(
    t,
    { listen: 'systemd:web' },
    {
      env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
      passed: [descriptorOf(held)],
      program: 'grandchild',
    },
  );
  const first = [await program.announced('grandchild', 1), await program.announced('grandchild', 2)];
  process.kill(program.pid, 'SIGUSR2');
  const second = [await program.announced('grandchild', 3), await program.announced('grandchild', 4)];
  held.close();
  for (const { sockets, names } of [...first, ...second]) t.same({ sockets, names }, { sockets: [], names: [] });
  await program.exited;
});

/** Node.js sets close-on-exec up to the first gap above 15. */
const BEHIND_GAP = 40;

t.test(
  'a descriptor behind a gap (fd:40) stays its own, and its port is closed after the stop',
  { skip: skipUnlessFound('bash') },
  async (t) => {
    const held = await listenAt(t, { host: '127.0.0.1' });
    const port = portOf(held);
    const program = serve(
      t,
      { listen: `fd:${BEHIND_GAP}` },
      {
        env: {},
        passed: [descriptorOf(held)],
        program: 'grandchild',
        shell: `exec bash -c 'exec ${BEHIND_GAP}<&3 3<&-; exec "$NODE" "$PROGRAM" "$ARGUMENT"'`,
      },
    );
    const [before, after] = [await program.announced('grandchild', 1), await program.announced('grandchild', 2)];
    t.same(before.sockets, [BEHIND_GAP], 'Node.js passes it on, before the library is asked for it');
    t.same(after.sockets, []);
    held.close();
    t.equal(await getBody(`localhost:${port}`), 'ok');
    process.kill(program.pid, 'SIGUSR2');
    t.same((await program.announced('grandchild', 3)).sockets, [], 'also in the next generation');
    t.same((await program.announced('grandchild', 4)).sockets, []);
    await program.exited;
    t.equal(await getBody(`localhost:${port}`), 'ok');

    const { pid } = await program.announced('ready', 2);
    process.kill(pid, 'SIGTERM');
    await program.ended();
    await t.rejects(getBody(`localhost:${port}`), { code: 'ECONNREFUSED' });
  },
);

t.test('start_server --port=…=40: the socket, the handoff pipe and the channel do not go to grandchildren', async (t) => {
  const argument = JSON.stringify({ listen: '127.0.0.1:0' });
  const starter = startStarter(t, [`--port=127.0.0.1:0=${BEHIND_GAP}`, '--', process.execPath, fixture('grandchild'), argument]);
  const [before, after] = [await starter.program.announced('grandchild', 1), await starter.program.announced('grandchild', 2)];
  t.same(before.sockets, [BEHIND_GAP, BEHIND_GAP + 1, BEHIND_GAP + 2], 'the socket, the pipe and the channel');
  t.same(after.sockets, []);
  const [address] = (await starter.program.announced('ready')).addresses as string[];
  t.equal(await getBody(address!), 'ok');
  starter.signal('SIGHUP');
  await starter.program.announced('ready', 2);
  t.equal(await getBody(address!), 'ok');
  t.match(await starter.stop(), { code: 0 });
});

t.test('a socket path is not taken from a server that listens on it', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const first = start(t, fixture('server'), { args: [JSON.stringify({ http: [`unix:${path}`] })] });
  await first.announced('ready');
  const second = start(t, fixture('server'), { args: [JSON.stringify({ http: ['127.0.0.1:0', `unix:${path}`] })] });
  t.match(await second.announced('error'), { code: 'ADDRESS_IN_USE', value: `unix:${path}` });
  await second.ended();
  t.equal(await getBody(`unix:${path}`), 'slept 0', 'the first serves on');
  process.kill(first.pid, 'SIGKILL');
  await once(first.process, 'exit');
  const third = start(t, fixture('server'), { args: [JSON.stringify({ http: [`unix:${path}`] })] });
  await third.announced('ready');
  await waitUntil('an answer', async () => (await getBody(`unix:${path}`)) === 'slept 0');
  t.pass('a stale socket is replaced');
});
