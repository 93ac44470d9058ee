import { resolve } from 'node:path';
import { type ListenVariables } from '../../lib/systemd/listen-variables.js';
import { clearNonblock } from './clear-nonblock.js';
import { type HeldSocket } from './held-socket.js';
import { listenUnpolled } from './listen-unpolled.js';
import { openError } from './open-error.js';
import { openPath } from './open-path.js';
import { openTcp } from './open-tcp.js';
import { PassedSockets } from './passed-sockets.js';
import { type Port } from './port.js';

export interface OpenSocketsOptions {
  readonly ports: readonly Port[];
  readonly paths: readonly string[];
  /** How many connections the kernel queues for each listening socket. */
  readonly backlog: number;
  /** Whether accept(2) returns at once if no connection is there. What systemd passed stays as it is. */
  readonly nonBlocking: boolean;
  /** What systemd passed to this process. */
  readonly passed: ListenVariables;
  readonly say: (message: string) => void;
}

/**
 * Opens all sockets or none, in the order of the command line. Stream sockets
 * then listen, but no process accepts on them yet.
 *
 * @throws GraceError `ADDRESS_*`, `NOT_A_SOCKET`, `INHERITANCE_INVALID`
 */
export async function openSockets({ ports, paths, backlog, nonBlocking, passed, say }: OpenSocketsOptions): Promise<HeldSocket[]> {
  const passedSockets = new PassedSockets(passed);
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
      const taken = passedSockets.take(kind, address, port.label, port.fd);
      await add(taken, () => (port.udp ? openDatagram(port) : openTcp(port)));
      if (port.fd !== undefined) say(`socket is duplicated to file descriptor ${port.fd}`);
    }
    for (const path of paths) {
      const taken = passedSockets.take('stream', { kind: 'unix', path: resolve(path) }, path, undefined);
      await add(taken, () => openPath(path, say));
    }
    listen(
      bound.filter(({ kind }) => kind === 'stream'),
      backlog,
    );
    if (!nonBlocking) clearNonblock(bound.map(({ fd }) => fd));
  } catch (error) {
    for (const socket of bound) socket.close();
    throw error;
  }
  for (const address of passedSockets.unclaimed) say(`${address} was passed by systemd, but no --port or --path asks for it`);
  return sockets;
}

/** Loads node:dgram only if a UDP port is asked for. */
async function openDatagram(port: Port): Promise<HeldSocket> {
  const { openUdp } = await import('./open-udp.js');
  return openUdp(port);
}

/** An address in use may show only at listen(2): with SO_REUSEADDR two sockets can be bound to it until one of them listens. */
function listen(sockets: readonly HeldSocket[], backlog: number): void {
  const failure = listenUnpolled(
    sockets.map(({ fd }) => fd),
    backlog,
  );
  const socket = failure && sockets[failure.index];
  if (failure === undefined || socket === undefined) return;
  const cause = Object.assign(new Error(failure.code), { code: failure.code });
  throw openError('port', socket.label, socket.bound, cause);
}
