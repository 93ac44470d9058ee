import { resolve } from 'node:path';
import { bindError } from '../../lib/socket/bind.js';
import { GraceError } from '../../lib/errors.js';
import { type ListenVariables } from '../../lib/systemd/listen-variables.js';
import { ActivatedSockets } from './passed-sockets.js';
import { makeBlocking } from './clear-nonblock.js';
import { type HeldSocket } from './held-socket.js';
import { listenUnpolled } from './listen-unpolled.js';
import { openPath } from './open-path.js';
import { openTcp } from './open-tcp.js';
import { type Port } from './port.js';

export interface SocketPlan {
  readonly ports: readonly Port[];
  readonly paths: readonly string[];
  /** Length of the kernel's queue of each listening socket. */
  readonly backlog: number;
  /** What systemd passed to this process. */
  readonly passed: ListenVariables;
  readonly say: (message: string) => void;
}

/**
 * Opens all sockets or none, in the order of the command line; stream sockets
 * listen then, and nobody accepts yet.
 *
 * @throws GraceError `ADDRESS_*`, `NOT_A_SOCKET`, `INHERITANCE_INVALID`
 */
export async function openSockets({ ports, paths, backlog, passed, say }: SocketPlan): Promise<HeldSocket[]> {
  const activated = new ActivatedSockets(passed);
  const sockets: HeldSocket[] = [];
  const bound: HeldSocket[] = [];
  const add = async (taken: HeldSocket | undefined, open: () => Promise<HeldSocket>): Promise<void> => {
    const socket = taken ?? (await open());
    if (taken === undefined) bound.push(socket);
    sockets.push(socket);
  };
  try {
    for (const port of ports) {
      const kind = port.udp ? 'datagram' : 'stream';
      const address = { kind: 'tcp', host: port.host, port: port.port } as const;
      const taken = activated.take(kind, address, port.label, port.fd);
      await add(taken, () => (port.udp ? openDatagram(port) : openTcp(port)));
      if (port.fd !== undefined) say(`socket is duplicated to file descriptor ${port.fd}`);
    }
    for (const path of paths) {
      const taken = activated.take('stream', { kind: 'unix', path: resolve(path) }, path, undefined);
      await add(taken, () => openPath(path, say));
    }
    listen(bound.filter(({ kind }) => kind === 'stream'), backlog);
    makeBlocking(bound.map(({ fd }) => fd));
  } catch (error) {
    for (const socket of bound) socket.close();
    throw error;
  }
  for (const address of activated.unclaimed) say(`${address} was passed by systemd, but no --port or --path asks for it`);
  return sockets;
}

/** Few use UDP: for the others node:dgram is not loaded. */
async function openDatagram(port: Port): Promise<HeldSocket> {
  const { openUdp } = await import('./open-udp.js');
  return openUdp(port);
}

/** A duplicate may show only at listen(2): SO_REUSEADDR lets two sockets have one address until one of them listens. */
function listen(sockets: readonly HeldSocket[], backlog: number): void {
  const failure = listenUnpolled(sockets.map(({ fd }) => fd), backlog);
  const socket = failure && sockets[failure.index];
  if (failure === undefined || socket === undefined) return;
  const cause = Object.assign(new Error(failure.code), { code: failure.code });
  const { code, message } = bindError({ kind: 'unix', path: socket.label }, cause);
  const reason = message.slice(message.indexOf(': ') + 2);
  throw new GraceError(code, `failed to bind to ${socket.label}: ${reason}`, { subject: 'port', value: socket.label, cause });
}
