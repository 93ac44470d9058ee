import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { handleOfServer, holdSocket } from '../../../../gracehttp/auto/listen/held-socket.js';
import { type TcpAddress } from '../../../../lib/address/address.js';
import { bindTcp } from '../../../../lib/socket/bind.js';
import { fails } from '../../../support/errors.js';

/** The part of listen() in which the socket is held, see intercept.ts. */
function listenAs(server: net.Server, port: number): void {
  const { _listen2 } = server as net.Server & { readonly _listen2: (...args: readonly unknown[]) => void };
  _listen2.call(server, '127.0.0.1', port, 4, 511);
}

t.test('a server with an inherited socket listens for the program, and accepts when it may', async (t) => {
  const socket = await bindTcp({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const { port } = socket.address as TcpAddress;
  const server = net.createServer((accepted) => accepted.end('hello'));
  const accept = holdSocket(server, socket.fd, 511);
  listenAs(server, port);
  await once(server, 'listening');
  t.match(server.address(), { address: '127.0.0.1', port });
  const [error] = (await once(net.connect(port, '127.0.0.1'), 'error')) as [NodeJS.ErrnoException];
  t.equal(error.code, 'ECONNREFUSED', 'listen(2) was not called yet');
  accept();
  accept();
  const [answer] = (await once(net.connect(port, '127.0.0.1'), 'data')) as [Buffer];
  t.equal(answer.toString(), 'hello');
  // It closes the descriptor.
  await new Promise((done) => server.close(done));
});

t.test('a descriptor that is not open', async (t) => {
  const fd = 9_999;
  await fails(t, () => holdSocket(net.createServer(), fd, 511), { code: 'INHERITANCE_INVALID', subject: 'fd', value: fd }, 'is refused');
});

t.test('a server that the program has closed again does not accept', async (t) => {
  const socket = await bindTcp({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const server = net.createServer();
  const accept = holdSocket(server, socket.fd, 511);
  listenAs(server, (socket.address as TcpAddress).port);
  await once(server, 'listening');
  await new Promise((done) => server.close(done));
  t.equal(handleOfServer(server), undefined);
  t.doesNotThrow(accept);
});
