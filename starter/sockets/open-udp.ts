import { type Socket, createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { GraceError } from '../../lib/errors.js';
import { type HeldSocket } from './held-socket.js';
import { fdName } from './descriptors.js';
import { portError, resolveHost } from './open-tcp.js';
import { type Port } from './port.js';

/** The handle behind a dgram.Socket, the same in Node.js 20 to 26. */
interface UdpHandle {
  readonly fd: number;
  recvStop(): number;
}

/** Binds a UDP port, and reads nothing from it. */
export async function openUdp(port: Port): Promise<HeldSocket> {
  const host = await resolveHost(port);
  // With SO_REUSEADDR, which Server::Starter sets, a second process may bind the same UDP port and take its datagrams.
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
      // In the turn of the event loop that began the reading: not one datagram was read.
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
  throw new GraceError('RUNTIME_UNSUPPORTED', `Node.js ${process.version} has no way to hold a UDP socket`, {
    subject: 'process.version',
    value: process.version,
  });
}
