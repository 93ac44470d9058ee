import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { type TcpAddress, formatAddress } from '../../../lib/address/address.js';
import { type BoundSocket, bindError, bindPath, bindTcp, resolveHost } from '../../../lib/socket/bind.js';
import { GraceError } from '../../../lib/errors.js';
import { portOf } from '../../support/address.js';
import { fails } from '../../support/errors.js';
import { scratch } from '../../support/scratch.js';
import { connected, listening, openSockets } from '../../support/sockets.js';

/** TEST-NET-1 and the documentation prefix (RFC 5737, RFC 3849): no machine has them. */
const FOREIGN = ['192.0.2.1', '2001:db8::1'];

const tcp = (host: string | undefined, port = 0): TcpAddress => ({ kind: 'tcp', host, port });

t.test('this Node.js can bind without listening', async (t) => {
  const { BoundSocket, _createServerHandle } = net as unknown as Record<string, unknown>;
  t.ok(typeof BoundSocket === 'function' || typeof _createServerHandle === 'function');
});

t.test('binds, and does not listen yet', async (t) => {
  for (const host of ['127.0.0.1', '::1', '0.0.0.0', '::']) {
    const socket = await bindTcp(tcp(host));
    const { kind, host: boundHost, port } = socket.address as TcpAddress;
    t.strictSame({ kind, boundHost }, { kind: 'tcp', boundHost: host });
    t.ok(port > 0, 'port 0 is resolved');
    t.ok(openSockets().has(socket.fd));
    const client = net.connect(port, host.replace(/^0\.0\.0\.0$/, '127.0.0.1').replace(/^::$/, '::1'));
    const [error] = (await once(client, 'error')) as [NodeJS.ErrnoException];
    t.equal(error.code, 'ECONNREFUSED', `${host} refuses`);
    socket.close();
  }
});

t.test('a server can listen on a bound socket', async (t) => {
  const socket = await bindTcp(tcp('127.0.0.1'));
  const server = net.createServer();
  t.teardown(() => server.close());
  server.listen(socket.target, 5);
  await once(server, 'listening');
  t.equal(portOf(server), (socket.address as TcpAddress).port);
  await connected(t, server);
});

t.test('every interface is IPv6 and IPv4', async (t) => {
  const socket = await bindTcp(tcp(undefined));
  t.teardown(() => socket.close());
  t.equal((socket.address as TcpAddress).host, '::');
});

t.test('a host name', async (t) => {
  const socket = await bindTcp(tcp('localhost'));
  t.teardown(() => socket.close());
  t.match((socket.address as TcpAddress).host, /^(127\.0\.0\.1|::1)$/);
  t.match(await resolveHost(tcp('localhost'), 'localhost'), /^(127\.0\.0\.1|::1)$/);
  for (const host of ['127.0.0.1', '::1', 'fe80::1%lo'])
    t.equal(await resolveHost(tcp(host), host), host, 'a numeric host is returned as it is');
});

t.test('a host that does not resolve', async (t) => {
  const address = tcp('no-such-host.invalid', 80);
  const facts = { code: 'ADDRESS_NOT_AVAILABLE', subject: 'address', value: 'no-such-host.invalid:80' } as const;
  const error = await fails(t, () => bindTcp(address), facts, 'bind');
  t.match(error.message, 'the host name does not resolve');
  t.ok(error.cause instanceof Error);
});

t.test('an address of another machine', async (t) => {
  for (const host of FOREIGN) {
    const value = formatAddress(tcp(host, 40_000));
    const before = openSockets().size;
    await fails(t, () => bindTcp(tcp(host, 40_000)), { code: 'ADDRESS_NOT_AVAILABLE', subject: 'address', value }, value);
    t.equal(openSockets().size, before, 'nothing is left open');
  }
});

t.test('a port that another server listens on', async (t) => {
  const server = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const address = tcp('127.0.0.1', portOf(server));
  const facts = { code: 'ADDRESS_IN_USE', subject: 'address', value: formatAddress(address) } as const;
  const before = openSockets().size;
  const error = await fails(t, () => bindTcp(address), facts, 'bind');
  t.match(error.cause, { code: 'EADDRINUSE' });
  t.equal(openSockets().size, before, 'nothing is left open');
});

t.test('a path', async (t) => {
  const path = join(scratch(t), 'draft.sock');
  const socket = bindPath(path);
  t.strictSame(socket.address, { kind: 'unix', path });
  t.ok(existsSync(path));
  t.throws(() => bindPath(path), { code: 'EADDRINUSE' }, 'not twice');
  socket.close();
});

t.test('an abstract name', { skip: process.platform === 'linux' ? false : 'Linux only' }, async (t) => {
  const path = `\0grace-bind-${process.pid}`;
  const socket: BoundSocket = bindPath(path);
  t.teardown(() => socket.close());
  t.strictSame(socket.address, { kind: 'unix', path });
  t.throws(() => bindPath(path), { code: 'EADDRINUSE' });
});

t.test('bindError', async (t) => {
  const codes = {
    EADDRINUSE: 'ADDRESS_IN_USE',
    EACCES: 'ADDRESS_FORBIDDEN',
    EPERM: 'ADDRESS_FORBIDDEN',
    EROFS: 'ADDRESS_FORBIDDEN',
    EADDRNOTAVAIL: 'ADDRESS_NOT_AVAILABLE',
    ENOTFOUND: 'ADDRESS_NOT_AVAILABLE',
    EAI_AGAIN: 'ADDRESS_NOT_AVAILABLE',
    EINVAL: 'ADDRESS_INVALID',
  };
  for (const [code, expected] of Object.entries(codes)) {
    const cause = Object.assign(new Error(`bind ${code}`), { code });
    const error = bindError(tcp('h', 80), cause);
    t.match({ ...error, cause: error.cause }, { code: expected, subject: 'address', value: 'h:80', cause });
    t.match(error.message, /^cannot listen on h:80: /);
    t.match(error.message, code);
  }
  const own = new GraceError('NOT_A_SOCKET', 'm');
  t.equal(bindError(tcp('h', 80), own), own, 'a GraceError is returned as it is');
});
