import dgram from 'node:dgram';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import net from 'node:net';
import t from 'tap';
import { type Handoff, formatHandoff } from '../../../lib/handoff/handoff-variable.js';
import { takeVariables } from '../../../lib/inherit/environment.js';
import { findInheritance, inherited } from '../../../lib/inherit/inherit.js';
import { processState } from '../../../lib/inherit/process-state.js';
import { portOf } from '../../support/address.js';
import { fails } from '../../support/errors.js';
import { connected, descriptorOf, listening, openSockets } from '../../support/sockets.js';

const CLOSED = 999_999;
const skip = process.platform === 'linux' ? false : 'reads /proc';

/** Puts this process into the state of one that was started with these variables. */
function startWith(variables: Readonly<Record<string, string>>): void {
  Object.assign(processState, { variables: {}, refused: false, inheritance: undefined });
  Object.assign(process.env, variables);
  takeVariables(process.env);
}

t.beforeEach(() => startWith({}));

t.test('nothing is passed', async (t) => {
  t.notOk(inherited());
  const { predecessor, unclaimed } = await findInheritance();
  t.equal(predecessor, undefined);
  t.equal(unclaimed.size, 0);
});

t.test('variables leave the environment, valid or not', async (t) => {
  const table: readonly Readonly<Record<string, string>>[] = [
    { LISTEN_FDS: '1', LISTEN_PID: '1', LISTEN_FDNAMES: 'a' },
    { LISTEN_FDS: 'abc' },
    { SERVER_STARTER_PORT: 'x' },
    { GRACE_HANDOFF: '{' },
  ];
  for (const variables of table) {
    startWith(variables);
    await findInheritance().catch(() => undefined);
    t.strictSame(
      Object.keys(variables).filter((name) => name in process.env),
      [],
      JSON.stringify(variables),
    );
  }
});

t.test('invalid variables are reported once, by name', async (t) => {
  const pid = String(process.pid);
  const bad: readonly (readonly [variables: Readonly<Record<string, string>>, subject: string])[] = [
    ...['abc', '-1', '1e3', '1.5'].map((count) => [{ LISTEN_FDS: count, LISTEN_PID: pid }, 'LISTEN_FDS'] as const),
    [{ LISTEN_FDS: '999999999', LISTEN_PID: pid }, 'LISTEN_FDS'],
    [{ LISTEN_FDS: '1', LISTEN_PID: 'me' }, 'LISTEN_PID'],
    [{ LISTEN_FDS: '1', LISTEN_PID: pid, LISTEN_FDNAMES: 'a:b' }, 'LISTEN_FDNAMES'],
    [{ SERVER_STARTER_PORT: '80' }, 'SERVER_STARTER_PORT'],
    [{ GRACE_HANDOFF: 'abc' }, 'GRACE_HANDOFF'],
    [{ GRACE_HANDOFF: '{"version":7}' }, 'GRACE_HANDOFF'],
  ];
  for (const [variables, subject] of bad) {
    startWith(variables);
    const facts = { code: 'INHERITANCE_INVALID', subject, value: variables[subject] } as const;
    // inherited() reads the number of sockets only; findInheritance() looks at the descriptors.
    if (variables['LISTEN_FDS'] === '999999999') t.ok(inherited());
    else await fails(t, () => inherited(), facts, `inherited() with ${JSON.stringify(variables)}`);
    await fails(t, () => findInheritance(), facts, `findInheritance() with ${JSON.stringify(variables)}`);
    t.equal((await findInheritance()).unclaimed.size, 0, 'after it they count as absent');
  }
});

t.test('variables for another process are ignored', async (t) => {
  for (const variables of [{ LISTEN_FDS: '1', LISTEN_PID: '1' }, { LISTEN_FDS: 'abc', LISTEN_PID: '1' }, { LISTEN_FDS: '2' }]) {
    startWith(variables);
    t.notOk(inherited(), JSON.stringify(variables));
    t.equal((await findInheritance()).unclaimed.size, 0);
  }
});

t.test('descriptors that are not listening sockets', { skip }, async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { client } = await connected(t, server);
  const before = openSockets();
  const datagram = dgram.createSocket('udp4').bind(0);
  t.teardown(() => datagram.close());
  await once(datagram, 'listening');
  const udp = [...openSockets()].find(([fd, inode]) => before.get(fd) !== inode)![0];
  const table = [
    [CLOSED, 'is not open'],
    [openSync('/dev/null', 'r'), 'is not a socket'],
    [descriptorOf(client), 'is a connected socket'],
  ] as const;
  for (const [fd, what] of table) {
    const value = `127.0.0.1:80=${fd}`;
    startWith({ SERVER_STARTER_PORT: value });
    const facts = { code: 'INHERITANCE_INVALID', subject: 'SERVER_STARTER_PORT', value } as const;
    const { message } = await fails(t, () => findInheritance(), facts, what);
    t.match(message, `descriptor ${fd} ${what}, expected a listening stream socket`);
  }
  // From `--port=u443`, which the variable does not mark as UDP. A server has to start anyway.
  startWith({ SERVER_STARTER_PORT: `0.0.0.0:443=${udp}` });
  t.equal((await findInheritance()).unclaimed.size, 0, 'a datagram socket is ignored');
});

t.test('a listening socket from Server::Starter', { skip }, async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const fd = descriptorOf(server);
  startWith({ SERVER_STARTER_PORT: `0.0.0.0:1=${fd}` });
  t.ok(inherited());
  const { unclaimed } = await findInheritance();
  const bound = { kind: 'tcp', host: '127.0.0.1', port: portOf(server) };
  t.match([...unclaimed], [{ fd, origin: 'server-starter', bound }], 'with the address that the kernel has');
  t.ok(inherited(), 'also after it was found');
  t.equal((await findInheritance()).unclaimed, unclaimed, 'the same object each time');
});

t.test('GRACE_HANDOFF without its pipe is ignored', async (t) => {
  const handoff = (pipe: number): string => {
    const socket = {
      fd: CLOSED - 1,
      name: undefined,
      asked: ':80',
      bound: undefined,
      backlog: 1,
      origin: 'bound',
      file: undefined,
    } as const;
    return formatHandoff({ pid: 1, generation: 2, pipe, nonce: 'n', sockets: [socket] } satisfies Handoff);
  };
  for (const pipe of [CLOSED, 2 ** 40, openSync('/dev/null', 'r')]) {
    startWith({ GRACE_HANDOFF: handoff(pipe) });
    t.notOk(inherited(), `pipe ${pipe}`);
    t.match(await findInheritance(), { predecessor: undefined });
    t.equal((await findInheritance()).unclaimed.size, 0);
  }
});
