import { type Address, type BindableAddress, formatAddress, isWildcard, parseAddress, sameAddress, sameHost } from './address.js';
import { type FileIdentity, type Origin } from '../handoff/protocol.js';

/** A listening socket that this process was started with. */
export interface InheritedSocket {
  readonly fd: number;
  readonly origin: Origin;
  readonly name: string | undefined;
  /** The address that the program asked for when the socket was bound; undefined where somebody else bound it. */
  readonly asked: string | undefined;
  /** What it is bound to, where that is known. */
  readonly bound: BindableAddress | undefined;
  readonly backlog: number | undefined;
  readonly file: FileIdentity | undefined;
}

/** What a program asks for. */
export interface Request {
  readonly address: Address;
  readonly name: string | undefined;
  /** `address`, or what it says for the case that systemd passed nothing, with its host name resolved. */
  readonly resolved: Address;
}

type Rule = (request: Request, socket: InheritedSocket) => boolean;

/** In order of how sure they are; each goes over all requests before the next begins. */
const RULES: readonly Rule[] = [
  ({ address, name }, { asked, name: given }) => asked === formatAddress(address) && name === given,
  ({ address }, { asked }) => asked === formatAddress(address),
  ({ address }, { fd, asked }) => address.kind === 'fd' && asked === undefined && address.fd === fd,
  ({ address }, { name }) => address.kind === 'systemd' && address.name === name,
  ({ address, name }, { name: given }) => isBindable(address) && name !== undefined && name === given,
  (request, socket) => isByAddress(request, socket) && sameAddress(request.resolved, socket.bound),
  (request, socket) => socket.asked === undefined && isByAddress(request, socket) && mayStandIn(request.resolved, socket.bound),
];

/**
 * Finds the inherited socket of each request: by the address that was asked
 * for, by name, by the address it is bound to, and last by order, where nobody
 * said for what it is.
 *
 * @returns for each request its socket, or undefined where it has to be bound.
 */
export function matchSockets(
  requests: readonly Request[],
  sockets: readonly InheritedSocket[],
): (InheritedSocket | undefined)[] {
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

/** Where systemd passed sockets, one that is asked for by name is found by name or not at all. */
function isByAddress(
  { address }: Request,
  socket: InheritedSocket,
): socket is InheritedSocket & { readonly bound: BindableAddress } {
  return socket.bound !== undefined && !(address.kind === 'systemd' && socket.origin === 'systemd');
}

/** By order never from one host to another that is wider: an admin port must not turn public by a mix-up. */
function mayStandIn(asked: Address, bound: BindableAddress): boolean {
  if (asked.kind === 'unix' || bound.kind === 'unix') return asked.kind === bound.kind;
  return asked.kind === 'tcp' && (isWildcard(asked) || sameHost(asked, bound));
}

function isBindable(address: Address): address is BindableAddress {
  return address.kind === 'tcp' || address.kind === 'unix';
}

/** Reads an address that another process formatted; undefined where it cannot be read. */
export function readBound(text: string): BindableAddress | undefined {
  try {
    const address = parseAddress(text);
    return isBindable(address) ? address : undefined;
  } catch {
    return undefined;
  }
}
