import { type Socket, createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { GraceError } from '../../lib/errors.js';
import { fdName } from './descriptors.js';
import { type HeldSocket } from './held-socket.js';
import { portError, resolveHost } from './open-tcp.js';
import { type Port } from './port.js';

/** The handle inside a dgram.Socket, the same in Node.js 20 to 26. */
interface UdpHandle {
  readonly fd: number;
  recvStop(): number;
}

/** Binds a UDP port without reading from it. */
export async function openUdp(port: Port): Promise<HeldSocket> {
  const host = await resolveHost(port);
  // Server::Starter sets SO_REUSEADDR, with which a second process could bind the port too and take datagrams. So see first if it is free.
  (await bind(port, host, false)).close();
  const socket = await bind(port, host, true);
  const { address, port: number } = socket.address();
  return {
    label: port.label,
    name: fdName(`${port.label.slice(0, -String(port.port).length)}u${port.port}`),
    target: port.fd,
    fd: handleOf(socket).fd,
    kind: 'datagram',
    bound: { kind: 'tcp', host: address, port: number },
    close: () => socket.close(),
  };
}

function bind(port: Port, address: string, reuseAddr: boolean): Promise<Socket> {
  return new Promise((done, fail) => {
    const v6 = isIPv6(address);
    const socket = createSocket({ type: v6 ? 'udp6' : 'udp4', ipv6Only: v6, reuseAddr });
    socket.once('error', (error) => fail(portError(port, error)));
    socket.once('listening', () => {
      // Reading began in this turn of the event loop, so no datagram has been read yet.
      handleOf(socket).recvStop();
      socket.unref();
      done(socket);
    });
    socket.bind({ address, port: port.port, exclusive: true });
  });
}

function handleOf(socket: Socket): UdpHandle {
  const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol');
  const { handle } = (state === undefined ? {} : Reflect.get(socket, state)) as { handle?: UdpHandle };
  if (typeof handle?.recvStop === 'function') return handle;
  throw new GraceError('RUNTIME_UNSUPPORTED', `Node.js ${process.version} cannot hold a UDP socket without reading from it`, {
    subject: 'process.version',
    value: process.version,
  });
}
