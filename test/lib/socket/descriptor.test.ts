import { execFileSync } from 'node:child_process';
import { constants, closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import dgram from 'node:dgram';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { bindPath, bindTcp } from '../../../lib/socket/bind.js';
import { describeDescriptor } from '../../../lib/socket/descriptor.js';
import { portOf } from '../../support/address.js';
import { scratch } from '../../support/scratch.js';
import { connected, descriptorOf, listening, openSockets } from '../../support/sockets.js';

const skip = process.platform === 'linux' ? false : 'reads /proc';

t.test('listeners', { skip }, async (t) => {
  for (const host of ['127.0.0.1', '0.0.0.0', '::1', '::', '::ffff:127.0.0.1']) {
    const server = await listening(t, net.createServer(), { port: 0, host });
    const address = { kind: 'tcp', host, port: portOf(server) };
    t.strictSame(describeDescriptor(descriptorOf(server)), { kind: 'listener', address }, `TCP on ${host}`);
  }
  const folder = scratch(t);
  for (const path of [join(folder, 'app.sock'), join(folder, 'with a space')]) {
    const server = await listening(t, net.createServer(), { path });
    const found = describeDescriptor(descriptorOf(server));
    t.strictSame(found, { kind: 'listener', address: { kind: 'unix', path } }, `unix ${path}`);
  }
  const abstract = `\0grace-test-${process.pid}`;
  const server = await listening(t, net.createServer(), { path: abstract });
  const { kind, address } = describeDescriptor(descriptorOf(server));
  // Node 20 fills an abstract name up with NUL bytes, which the kernel's table shows as @.
  const path = address?.kind === 'unix' ? address.path.replace(/@+$/, '') : undefined;
  t.strictSame({ kind, path }, { kind: 'listener', path: abstract }, 'unix, abstract');
});

t.test('both ends of a connection', { skip }, async (t) => {
  const places = [{ port: 0, host: '127.0.0.1' }, { port: 0, host: '::1' }, { path: join(scratch(t), 'app.sock') }];
  for (const place of places) {
    const server = await listening(t, net.createServer(), place);
    const { client, accepted } = await connected(t, server);
    for (const end of [client, accepted]) {
      t.strictSame(describeDescriptor(descriptorOf(end)), { kind: 'connected socket' }, JSON.stringify(place));
    }
  }
});

t.test('a datagram socket', { skip }, async (t) => {
  for (const type of ['udp4', 'udp6'] as const) {
    const before = openSockets();
    const socket = dgram.createSocket(type).bind(0);
    t.teardown(() => socket.close());
    await once(socket, 'listening');
    const added = [...openSockets()].filter(([fd, inode]) => before.get(fd) !== inode);
    t.equal(added.length, 1);
    const address = { kind: 'tcp', host: type === 'udp4' ? '0.0.0.0' : '::', port: socket.address().port };
    t.strictSame(describeDescriptor(added[0]![0]), { kind: 'datagram socket', address }, type);
  }
});

t.test('a socket that is bound and does not listen', { skip }, async (t) => {
  const bound = [await bindTcp({ kind: 'tcp', host: '127.0.0.1', port: 0 }), bindPath(join(scratch(t), 'draft.sock'))];
  for (const socket of bound) {
    t.teardown(() => socket.close());
    t.strictSame(describeDescriptor(socket.fd), { kind: 'unknown socket' }, socket.address.kind);
  }
});

t.test('files that are not sockets', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), 'x');
  mkdirSync(join(folder, 'folder'));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  for (const [name, flags] of [
    ['file', constants.O_RDONLY],
    ['folder', constants.O_RDONLY],
    ['pipe', constants.O_RDWR],
  ] as const) {
    const fd = openSync(join(folder, name), flags);
    t.teardown(() => closeSync(fd));
    for (const closely of [true, false]) t.strictSame(describeDescriptor(fd, closely), { kind: 'not a socket' }, name);
  }
  const fd = openSync('/dev/null', 'r');
  t.teardown(() => closeSync(fd));
  t.strictSame(describeDescriptor(fd), { kind: 'not a socket' }, '/dev/null');
});

t.test('descriptors that are not open', async (t) => {
  const fd = openSync('/dev/null', 'r');
  closeSync(fd);
  for (const number of [fd, 999_999, 2_147_483_647]) t.strictSame(describeDescriptor(number), { kind: 'closed' }, String(number));
  for (const number of [-1, 2 ** 40]) t.strictSame(describeDescriptor(number), { kind: 'not a socket' }, String(number));
});

t.test('without a close look only sockets are told from other files', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  t.strictSame(describeDescriptor(descriptorOf(server), false), { kind: 'unknown socket' });
});
