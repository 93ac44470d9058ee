import { type Address, type BindableAddress, formatAddress, isWildcard, parseAddress, sameAddress, sameHost } from './address.js';
import { type FileIdentity, type Origin } from '../handoff/handoff-variable.js';

/** A listening socket that this process was started with. */
export interface InheritedSocket {
  readonly fd: number;
  readonly origin: Origin;
  readonly name: string | undefined;
  /** The address that the program asked for when it bound the socket; undefined if another program bound it. */
  readonly asked: string | undefined;
  /** The address that it is bound to, if that is known. */
  readonly bound: BindableAddress | undefined;
  readonly backlog: number | undefined;
  readonly file: FileIdentity | undefined;
}

/** One socket that a program asks for. */
export interface Request {
  readonly address: Address;
  readonly name: string | undefined;
  /** `address` with its host name resolved; for `systemd:name|address` the part behind the bar. */
  readonly resolved: Address;
}

type Rule = (request: Request, socket: InheritedSocket) => boolean;

/** The surest first. Each rule is tried for all requests before the next one. */
const RULES: readonly Rule[] = [
  ({ address, name }, { asked, name: given }) => asked === formatAddress(address) && name === given,
  ({ address }, { asked }) => asked === formatAddress(address),
  ({ address }, { fd, asked }) => address.kind === 'fd' && asked === undefined && address.fd === fd,
  ({ address }, { name }) => address.kind === 'systemd' && address.name === name,
  // A socket that this program bound itself stays behind if a new version asks for another address.
  ({ address, name }, { name: given, origin }) => isBindable(address) && name !== undefined && name === given && origin !== 'bound',
  (request, socket) => isByAddress(request, socket) && sameAddress(request.resolved, socket.bound),
  (request, socket) => socket.asked === undefined && isByAddress(request, socket) && mayStandIn(request.resolved, socket.bound),
];

/**
 * Finds the inherited socket for each request: by the address that was asked
 * for, by name, by the address it is bound to, and last by order, for sockets
 * that another program bound.
 *
 * @returns for each request its socket, or undefined if it has to be bound.
 */
export function matchSockets(requests: readonly Request[], sockets: readonly InheritedSocket[]): (InheritedSocket | undefined)[] {
  const free = new Set(sockets);
  const found = new Map<Request, InheritedSocket>();
  for (const rule of RULES) {
    for (const request of requests) {
      if (found.has(request)) continue;
      const match = [...free].find((socket) => rule(request, socket));
      if (match === undefined) continue;
      found.set(request, match);
      free.delete(match);
    }
  }
  return requests.map((request) => found.get(request));
}

/** A request by a systemd name matches a socket from systemd by name only. */
function isByAddress({ address }: Request, socket: InheritedSocket): socket is InheritedSocket & { readonly bound: BindableAddress } {
  return socket.bound !== undefined && !(address.kind === 'systemd' && socket.origin === 'systemd');
}

/** Matching by order never widens the host: an admin port must not become public because two sockets were mixed up. */
function mayStandIn(asked: Address, bound: BindableAddress): boolean {
  if (asked.kind === 'unix' || bound.kind === 'unix') return asked.kind === bound.kind;
  return asked.kind === 'tcp' && (isWildcard(asked) || sameHost(asked, bound));
}

function isBindable(address: Address): address is BindableAddress {
  return address.kind === 'tcp' || address.kind === 'unix';
}

/** Reads an address that another process formatted; undefined if that is not possible. */
export function readBound(text: string): BindableAddress | undefined {
  try {
    const address = parseAddress(text);
    return isBindable(address) ? address : undefined;
  } catch {
    return undefined;
  }
}
