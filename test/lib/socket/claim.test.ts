import dgram from 'node:dgram';
import { once } from 'node:events';
import { existsSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { type InheritedSocket } from '../../../lib/address/match.js';
import { type Inheritance } from '../../../lib/inherit/inheritance.js';
import { type Claim, claimSockets } from '../../../lib/socket/claim.js';
import { portOf } from '../../support/address.js';
import { type ExpectedError, fails } from '../../support/errors.js';
import { scratch } from '../../support/scratch.js';
import { connected, descriptorOf, freePort, listening, openSockets } from '../../support/sockets.js';

const NOTHING: Inheritance = { predecessor: undefined, passed: [], unclaimed: new Set() };

function passed(...sockets: readonly Partial<InheritedSocket>[]): Inheritance {
  const unknown = { name: undefined, asked: undefined, bound: undefined, backlog: undefined, file: undefined };
  const all = sockets.map((socket, index) => ({ fd: 1_000 + index, origin: 'systemd' as const, ...unknown, ...socket }));
  return { predecessor: undefined, passed: all, unclaimed: new Set(all) };
}

t.test('binds new sockets if none were passed', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const listeners = await claimSockets(
    [
      { address: '127.0.0.1:0', name: 'a', backlog: 7 },
      { address: 0 },
      { address: `unix:${path}` },
      { address: `unix:@grace-claim-${process.pid}` },
    ],
    NOTHING,
  );
  t.teardown(() => listeners.forEach((listener) => listener.release()));
  t.strictSame(
    listeners.map(({ asked }) => asked),
    ['127.0.0.1:0', ':0', `unix:${path}`, `unix:@grace-claim-${process.pid}`],
  );
  t.match(listeners[0]!.address, /^127\.0\.0\.1:[1-9]\d*$/);
  t.match(listeners[1]!.address, /^\[::\]:[1-9]\d*$/);
  t.equal(listeners[2]!.address, `unix:${path}`);
  for (const { origin, inherited, listening: accepts, server } of listeners) {
    t.strictSame({ origin, inherited, accepts, server }, { origin: 'bound', inherited: false, accepts: false, server: undefined });
  }
  t.strictSame(
    listeners.map(({ backlog }) => backlog),
    [7, 511, 511, 511],
  );
  t.equal(listeners[0]!.name, 'a');
});

t.test('takes the sockets that match, and leaves the others', async (t) => {
  const inheritance = passed({ name: 'web' }, { name: 'other' }, { asked: ':80', name: 'old', backlog: 100, origin: 'bound' });
  const [web, eighty] = await claimSockets([{ address: 'systemd:web' }, { address: ':80', name: 'new', backlog: 50 }], inheritance);
  t.match(web, { fd: 1_000, origin: 'systemd', name: 'web', inherited: true, backlog: 0x7fff_ffff, address: 'systemd:web' });
  t.match(eighty, { fd: 1_002, origin: 'bound', name: 'new', backlog: 100 });
  t.strictSame(
    [...inheritance.unclaimed].map(({ name }) => name),
    ['other'],
  );
});

t.test('invalid claims', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const taken = `127.0.0.1:${portOf(server)}`;
  const { client } = await connected(t, server);
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), 'precious');
  const file = openSync(join(folder, 'file'), 'r');
  const before = openSockets();
  const datagram = dgram.createSocket('udp4').bind(0);
  t.teardown(() => datagram.close());
  await once(datagram, 'listening');
  const udp = [...openSockets()].find(([fd, inode]) => before.get(fd) !== inode)![0];
  const connection = descriptorOf(client);

  const address = (value: string, code: ExpectedError['code']): ExpectedError => ({ code, subject: 'address', value });
  const option = (subject: string, value: unknown): ExpectedError => ({ code: 'OPTION_INVALID', subject, value });
  const descriptor = (value: number): ExpectedError => ({ code: 'INHERITANCE_INVALID', subject: 'fd', value });
  const bad: readonly (readonly [what: string, claim: Claim, expected: ExpectedError, inheritance?: Inheritance])[] = [
    ['does not parse', { address: 'nonsense' }, address('nonsense', 'ADDRESS_INVALID')],
    ['is taken', { address: taken }, address(taken, 'ADDRESS_IN_USE')],
    ['does not resolve', { address: 'no-such-host.invalid:80' }, address('no-such-host.invalid:80', 'ADDRESS_NOT_AVAILABLE')],
    ["is another machine's", { address: '192.0.2.1:80' }, address('192.0.2.1:80', 'ADDRESS_NOT_AVAILABLE')],
    ['is a file', { address: `unix:${folder}/file` }, address(`unix:${folder}/file`, 'NOT_A_SOCKET')],
    ['is in no folder', { address: `unix:${folder}/no/a.sock` }, address(`unix:${folder}/no/a.sock`, 'ADDRESS_INVALID')],
    ['is a descriptor that is not open', { address: 'fd:999999' }, descriptor(999_999)],
    ['is a descriptor of a file', { address: `fd:${file}` }, descriptor(file)],
    ['is a descriptor of a connection', { address: `fd:${connection}` }, descriptor(connection)],
    ['is a descriptor of a datagram socket', { address: `fd:${udp}` }, descriptor(udp)],
    ['was not passed at all', { address: 'systemd:web' }, address('systemd:web', 'SOCKET_NOT_PASSED')],
    ['was not passed under that name', { address: 'systemd:web' }, address('systemd:web', 'SOCKET_NOT_PASSED'), passed({ name: 'a' }, {})],
    ['was not passed, but others were', { address: 'systemd:web|:0' }, address('systemd:web', 'SOCKET_NOT_PASSED'), passed({ name: 'a' })],
    ['has a backlog of 0', { address: ':0', backlog: 0 }, option('backlog', 0)],
    ['has a negative backlog', { address: ':0', backlog: -1 }, option('backlog', -1)],
    ['has a backlog that is text', { address: ':0', backlog: '511' as never }, option('backlog', '511')],
    ['has a backlog that is too large', { address: ':0', backlog: 2 ** 31 }, option('backlog', 2 ** 31)],
    ['has a mode that is text', { address: ':0', mode: '660' as never }, option('mode', '660')],
    ['has a negative mode', { address: ':0', mode: -1 }, option('mode', -1)],
    ['has a mode of too many bits', { address: ':0', mode: 0o10000 }, option('mode', 0o10000)],
  ];
  for (const [what, claim, expected, inheritance = NOTHING] of bad) {
    await t.test(`one that ${what}`, async (t) => {
      const port = await freePort();
      const path = join(folder, 'app.sock');
      const first = [{ address: `127.0.0.1:${port}` }, { address: `unix:${path}` }];
      const sockets = openSockets().size;
      await fails(t, () => claimSockets([...first, claim], inheritance), expected, 'refused');
      // A handle is closed in the next turn of the event loop.
      await new Promise((done) => setImmediate(done));
      t.equal(openSockets().size, sockets, 'the sockets before it are released');
      t.strictSame(readdirSync(folder), ['file']);
      const again = await claimSockets(first, NOTHING);
      t.equal(again.length, 2, 'and can be bound again');
      again.forEach((listener) => listener.release());
      t.notOk(existsSync(path));
    });
  }
});

t.test('a socket that was passed stays open if another claim is invalid', async (t) => {
  const inheritance = passed({ name: 'web' });
  await t.rejects(claimSockets([{ address: 'systemd:web' }, { address: 'fd:999999' }], inheritance));
  t.equal(inheritance.unclaimed.size, 1);
});

t.test('the address behind the | is bound if systemd passed no sockets', async (t) => {
  const [listener] = await claimSockets([{ address: 'systemd:web|127.0.0.1:0' }], NOTHING);
  t.teardown(() => listener!.release());
  t.equal(listener!.asked, 'systemd:web|127.0.0.1:0');
  t.match(listener!.address, /^127\.0\.0\.1:[1-9]/);
});

t.test('an option of the process is not one of listen(), and the message says where it belongs', async (t) => {
  const claims: readonly object[] = [{ address: ':0', drainTimeout: 5 }];
  const elsewhere = [{ names: ['drainTimeout'], write: (name: string) => `new Grace({ ${name}: … })` }];
  const facts = { code: 'OPTION_INVALID', subject: 'drainTimeout', value: 5 } as const;
  const { message } = await fails(t, () => claimSockets(claims as Claim[], NOTHING, elsewhere), facts, 'drainTimeout');
  t.match(message, 'write new Grace({ drainTimeout: … })');
});

t.test('one address twice', async (t) => {
  const folder = scratch(t);
  const before = process.cwd();
  process.chdir(folder);
  t.teardown(() => process.chdir(before));
  const path = `unix:${join(process.cwd(), 'a.sock')}`;
  const twice: readonly (readonly [string | number, string | number, string])[] = [
    [':48000', 48_000, ':48000'],
    ['127.0.0.1:48000', '127.0.0.1:48000', '127.0.0.1:48000'],
    ['unix:@a', 'unix:@a', 'unix:@a'],
    [path, path, path],
    [path, 'unix:a.sock', path],
    ['unix:./a.sock', 'unix:a.sock', path],
    ['fd:3', 'fd:3', 'fd:3'],
  ];
  for (const [one, other, value] of twice) {
    const facts = { code: 'ADDRESS_IN_USE', subject: 'address', value } as const;
    await fails(t, () => claimSockets([{ address: one }, { address: other }], NOTHING), facts, `${one} and ${other}`);
  }
  t.strictSame(readdirSync('.'), []);
  const listeners = await claimSockets([{ address: '127.0.0.1:0' }, { address: '127.0.0.1:0' }], NOTHING);
  t.teardown(() => listeners.forEach((listener) => listener.release()));
  t.not(listeners[0]!.address, listeners[1]!.address, 'port 0 is another port each time');
});
