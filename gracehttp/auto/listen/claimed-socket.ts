import { type Server } from 'node:net';
import { type BindableAddress, formatAddress, sameAddress } from '../../../lib/address/address.js';
import { type InheritedSocket, matchSockets } from '../../../lib/address/match.js';
import { type FileIdentity } from '../../../lib/handoff/handoff-variable.js';
import { type Inheritance } from '../../../lib/inherit/inheritance.js';
import { GraceListener } from '../../../lib/socket/listener.js';
import { isFileOf } from '../../../lib/socket/socket-file.js';
import { type ClaimableAddress } from './asked-address.js';
import { handleOfServer } from './held-socket.js';

/**
 * Takes the inherited socket for an address. Unlike with serve(), sockets come
 * one by one, so no socket stands in for another address: it may be asked for next.
 */
export function takeMatching(address: ClaimableAddress, { unclaimed }: Inheritance): InheritedSocket | undefined {
  const candidates = [...unclaimed].filter(
    ({ asked, bound }) => asked !== undefined || (bound !== undefined && sameAddress(address, bound)),
  );
  const [socket] = matchSockets([{ address, name: undefined, resolved: address }], candidates);
  // Many programs delete the file before they listen. Then clients cannot reach the inherited socket any more.
  if (socket === undefined || (address.kind === 'unix' && socket.file !== undefined && !isFileOf(address.path, socket.file)))
    return undefined;
  unclaimed.delete(socket);
  return socket;
}

/** How an inherited socket is served. */
export interface InheritedUse {
  readonly backlog: number;
  /** Whether a predecessor serves on it. */
  readonly waits: boolean;
  /** Makes the server accept. */
  accept(): void;
}

export function inheritedListener(
  address: ClaimableAddress,
  socket: InheritedSocket,
  { backlog, waits, accept }: InheritedUse,
): GraceListener {
  return new GraceListener({ kind: 'listening', socket, inherited: true, accept }, address, { backlog, waits });
}

/** How a socket was opened by the program. */
export interface Opened {
  readonly backlog: number;
  /** The file of a unix socket. */
  readonly file?: FileIdentity | undefined;
}

/** @param server - it listens. */
export function newListener(address: ClaimableAddress, server: Server, { backlog, file }: Opened): GraceListener {
  const socket: InheritedSocket = {
    fd: handleOfServer(server)?.fd ?? -1,
    origin: address.kind === 'fd' ? 'fd' : 'bound',
    name: undefined,
    asked: formatAddress(address),
    bound: boundOf(address, server),
    backlog,
    file,
  };
  return new GraceListener({ kind: 'listening', socket, inherited: false, accept: () => undefined }, address, { backlog });
}

function boundOf(address: ClaimableAddress, server: Server): BindableAddress | undefined {
  const name = server.address();
  if (name !== null && typeof name === 'object') return { kind: 'tcp', host: name.address, port: name.port };
  return address.kind === 'fd' ? undefined : address;
}
