import { type Server } from 'node:net';

/** Names its addresses: an app, what a fixture announces, or what a server without ts-grace announces of its sockets. */
export interface Addressed {
  readonly addresses?: unknown;
  readonly sockets?: unknown;
}

/** The TCP ports of all addresses, in order; NaN for a unix socket. */
export function portsOf({ addresses, sockets }: Addressed): number[] {
  if (Array.isArray(addresses)) return (addresses as string[]).map((address) => portOf(address));
  return (sockets as { readonly port: number }[]).map(({ port }) => port);
}

/** The TCP port of an address (`[::]:8080`), of a server that listens, or of one of several addresses. */
export function portOf(where: string | Server | Addressed, index = 0): number {
  if (typeof where === 'string') return Number(where.slice(where.lastIndexOf(':') + 1));
  if ('address' in where) return (where.address() as { readonly port: number }).port;
  return portsOf(where)[index]!;
}
