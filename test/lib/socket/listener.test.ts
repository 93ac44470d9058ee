import { once } from 'node:events';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { parseAddress } from '../../../lib/address/address.js';
import { type InheritedSocket } from '../../../lib/address/match.js';
import { type ListenOptions, claimSockets, openBindable } from '../../../lib/socket/claim.js';
import { GraceListener } from '../../../lib/socket/listener.js';
import { measureBacklog } from '../../support/http/accept-queue.js';
import { portOf } from '../../support/address.js';
import { fails } from '../../support/errors.js';
import { scratch } from '../../support/scratch.js';
import { connected, freePort, openSockets } from '../../support/sockets.js';

const NOTHING = { predecessor: undefined, passed: [], unclaimed: new Set<InheritedSocket>() };
const DEFAULT = 511;
const KERNEL_MAXIMUM = 0x7fff_ffff;

async function claim(t: Test, address: string, options: ListenOptions = {}): Promise<GraceListener> {
  const [listener] = await claimSockets([{ address, ...options }], NOTHING);
  t.teardown(() => listener!.cutOff());
  return listener!;
}

t.test('serves', async (t) => {
  const listener = await claim(t, '127.0.0.1:0', { name: 'echo' });
  const server = net.createServer();
  t.notOk(listener.listening);
  await listener.serve(server);
  t.ok(listener.listening);
  t.equal(listener.server, server);
  t.strictSame(server.address(), { address: '127.0.0.1', family: 'IPv4', port: portOf(listener.address) });
  await connected(t, server);
  t.equal(server.listenerCount('error'), 0, 'no error handler is left');
  t.match(listener.describe(), { fd: listener.fd, name: 'echo', asked: '127.0.0.1:0', backlog: DEFAULT, origin: 'bound' });
  t.strictSame(listener.describe().bound, { kind: 'tcp', host: '127.0.0.1', port: portOf(listener.address) });
});

t.test('one server for each listener, and one listener for each server', async (t) => {
  const listener = await claim(t, '127.0.0.1:0');
  const server = net.createServer();
  await listener.serve(server);
  const twice = { code: 'STATE_INVALID', subject: 'listener', value: '127.0.0.1:0' } as const;
  await fails(t, () => listener.serve(net.createServer()), twice, 'a second server');
  const other = await claim(t, '127.0.0.1:0');
  t.teardown(() => other.release());
  await fails(t, () => other.serve(server), { code: 'SERVER_INVALID', subject: 'server' }, 'a server that is listening');
  const handler = (): void => undefined;
  const error = await fails(
    t,
    () => other.serve(handler as never),
    { code: 'SERVER_INVALID', subject: 'server', value: handler },
    'a function',
  );
  t.match(error.message, 'expected one of net.createServer(), http.createServer() or the like');
  t.ok(listener.listening, 'the first server still listens');
});

t.test('a port that another server took between bind and listen', async (t) => {
  const port = await freePort();
  const first = await claim(t, `127.0.0.1:${port}`);
  // Two sockets that do not listen yet may be bound to one port: SO_REUSEADDR.
  const second = await claim(t, `127.0.0.1:${port}`).catch((error: unknown) => error);
  await first.serve(net.createServer());
  const facts = { code: 'ADDRESS_IN_USE', subject: 'address', value: `127.0.0.1:${port}` } as const;
  if (second instanceof GraceListener) {
    await fails(t, () => second.serve(net.createServer()), facts, 'refused at listen(2)');
    second.release();
  } else {
    await fails(t, () => Promise.reject(second as Error), facts, 'refused at bind(2)');
  }
  t.ok(first.listening);
});

t.test('the backlog for listen(2)', async (t) => {
  const [none, small, large] = [
    await claim(t, '127.0.0.1:0'),
    await claim(t, '127.0.0.1:0', { backlog: 3 }),
    await claim(t, '127.0.0.1:0', { backlog: 1_000 }),
  ];
  const found = [];
  for (const listener of [none, small, large]) {
    await listener.serve(net.createServer());
    found.push([listener.backlog, listener.describe().backlog]);
  }
  t.strictSame(found, [
    [DEFAULT, DEFAULT],
    [3, 3],
    [1_000, 1_000],
  ]);
});

t.test('the backlog in the kernel', { skip: process.platform === 'linux' ? false : 'reads /proc' }, async (t) => {
  for (const backlog of [3, 700]) {
    const listener = await claim(t, '127.0.0.1:0', { backlog });
    await listener.serve(net.createServer());
    t.equal(await measureBacklog(portOf(listener.address), backlog), backlog);
  }
});

t.test('the backlog of an inherited socket is never smaller than it was', async (t) => {
  const inherited = (backlog: number | undefined, option: number | undefined): number => {
    const socket: InheritedSocket = {
      fd: 1_000,
      origin: 'systemd',
      name: 'n',
      asked: undefined,
      bound: undefined,
      backlog,
      file: undefined,
    };
    return new GraceListener({ kind: 'inherited', socket }, parseAddress(':80'), { backlog: option }).backlog;
  };
  const table = [
    { had: 511, option: undefined, asked: 511 },
    { had: 511, option: 100, asked: 511 },
    { had: 100, option: 511, asked: 511 },
    { had: 5, option: undefined, asked: 5 },
    { had: undefined, option: undefined, asked: KERNEL_MAXIMUM },
    { had: undefined, option: 200, asked: 200 },
  ];
  for (const { had, option, asked } of table) t.equal(inherited(had, option), asked, `had ${had}, option ${option}`);
});

t.test('release', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const before = openSockets().size;
  for (const address of ['127.0.0.1:0', `unix:${path}`, `unix:@grace-listener-${process.pid}`]) {
    for (const serving of [false, true]) {
      const listener = await claim(t, address);
      if (serving) await listener.serve(net.createServer());
      listener.release();
      await new Promise((done) => setImmediate(done));
      t.strictSame([openSockets().size, readdirSync(folder)], [before, []], `${address}${serving ? ', serving' : ''}`);
    }
  }
});

t.test('a unix socket has its path from serve() on, until its last owner removes it', async (t) => {
  const folder = scratch(t);
  const path = join(folder, 'app.sock');
  const listener = await claim(t, `unix:${path}`, { mode: 0o600 });
  t.notOk(existsSync(path));
  await listener.serve(net.createServer());
  t.strictSame(readdirSync(folder), ['app.sock']);
  t.strictSame(listener.describe().bound, { kind: 'unix', path });
  t.match(listener.describe().file, { dev: /^\d+$/, ino: /^\d+$/ });
  await listener.stopAccepting(false);
  t.notOk(listener.listening);
  t.ok(existsSync(path), 'a successor has the socket');
  listener.removeFile();
  t.notOk(existsSync(path));
  listener.removeFile();
});

t.test('the last owner accepts the connections in the queue', async (t) => {
  const listener = await claim(t, '127.0.0.1:0');
  const server = net.createServer((socket) => socket.end('served'));
  await listener.serve(server);
  const port = portOf(listener.address);
  // Connected by the kernel in this turn of the event loop, accepted in later ones.
  const clients = Array.from({ length: 50 }, () => net.connect(port, '127.0.0.1'));
  await once(clients[0]!, 'connect');
  await listener.stopAccepting(true);
  t.notOk(listener.listening);
  const answers = await Promise.all(
    clients.map(async (client) => {
      const chunks: Buffer[] = [];
      for await (const chunk of client as AsyncIterable<Buffer>) chunks.push(chunk);
      return String(Buffer.concat(chunks));
    }),
  );
  t.strictSame(new Set(answers), new Set(['served']));
  await listener.drained();
});

t.test('cutOff destroys and counts', async (t) => {
  const listener = await claim(t, '127.0.0.1:0');
  const server = net.createServer();
  await listener.serve(server);
  await connected(t, server);
  await connected(t, server);
  await listener.stopAccepting(false);
  t.equal(listener.cutOff(), 2);
  await listener.drained();
  t.equal(listener.cutOff(), 0);
});

t.test('a socket whose file was made again is passed on with its new descriptor after a restart that was taken back', async (t) => {
  const path = join(scratch(t), 'app.sock');
  const listener = await claim(t, `unix:${path}`);
  await listener.serve(net.createServer());
  rmSync(path);
  await listener.restoreFile();
  // Opened before the other one is closed, so that its number is another one.
  const again = await openBindable({ kind: 'tcp', host: '127.0.0.1', port: 0 }, undefined);
  await listener.stopAccepting(false);
  await listener.reopen(again);
  t.equal(listener.fd, again.socket.fd);
  t.ok(listener.listening);
});
