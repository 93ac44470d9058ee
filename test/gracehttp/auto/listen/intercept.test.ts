import { once } from 'node:events';
import net, { type Server } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { type Asked, interceptListen } from '../../../../gracehttp/auto/listen/intercept.js';
import { fails } from '../../../support/errors.js';
import { portOf } from '../../../support/address.js';
import { scratch } from '../../../support/scratch.js';

const prototype = net.Server.prototype as Server & { _listen2?: unknown };
const native = prototype._listen2;
t.afterEach(() => (prototype._listen2 = native));

t.test('what listen() was called with', async (t) => {
  const path = join(scratch(t), 'app.sock');
  const calls: (readonly [args: readonly unknown[], asked: Partial<Asked>])[] = [
    [[0], { address: null, port: 0, fd: undefined }],
    [[0, '127.0.0.1'], { address: '127.0.0.1', port: 0 }],
    [[0, 'localhost', 9], { port: 0, backlog: 9 }],
    [[{ port: 0, host: '::1', backlog: 7 }], { address: '::1', port: 0, backlog: 7 }],
    [[path], { address: path, port: undefined }],
  ];
  for (const [args, expected] of calls) {
    let seen: Asked | undefined;
    interceptListen((_, listen, asked) => {
      seen = asked;
      listen();
    });
    const server = net.createServer();
    Reflect.apply(server.listen, server, args);
    await once(server, 'listening');
    server.close();
    prototype._listen2 = native;
    t.match(seen, expected, JSON.stringify(args));
  }
});

t.test('another address in its place', async (t) => {
  interceptListen((_, listen) => listen('127.0.0.1', 0));
  const server = net.createServer().listen(1, '192.0.2.1');
  await once(server, 'listening');
  t.match(server.address(), { address: '127.0.0.1' });
  t.not(portOf(server), 1);
  server.close();
});

t.test('a server with a handle of its own is none of its business', async (t) => {
  const holder = net.createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  interceptListen(() => t.fail('not this one'));
  const server = net.createServer().listen(holder);
  await once(server, 'listening');
  t.equal(portOf(server), portOf(holder));
  server.close();
});

t.test('a Node.js that does not listen by it', async (t) => {
  delete prototype._listen2;
  await fails(
    t,
    () => interceptListen(() => undefined),
    { code: 'RUNTIME_UNSUPPORTED', subject: 'process.version', value: process.version },
    'it is refused',
  );
});
