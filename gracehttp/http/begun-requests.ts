import { type Server, type Socket } from 'node:net';

/** The parsers of an http.Server's connections, of which Node.js keeps a list to find late requests. */
interface ParserList {
  active?: () => readonly object[];
}

/**
 * The parsers that have begun to read a request: bytes of it are gone from the
 * kernel, although no handler has been called. Node.js shows that only in an
 * undocumented list. Undefined if a version does not have it.
 */
export function begunRequests(server: Server): ReadonlySet<object> | undefined {
  const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'http.server.connections');
  const list = key && (Reflect.get(server, key) as ParserList | undefined);
  return typeof list?.active === 'function' ? new Set(list.active()) : undefined;
}

/** The parser of a connection, as {@link begunRequests} has it. */
export function parserOf(socket: Socket): object | undefined {
  return (socket as { readonly parser?: object | null }).parser ?? undefined;
}

/**
 * Tells Node.js that a connection which has just been given to a server is between
 * two requests. Otherwise it would get a 408 response after `headersTimeout`, as if
 * it had connected and said nothing. The next request counts from its first byte.
 */
export function expectNoRequest(socket: Socket): void {
  (parserOf(socket) as { remove?: () => void } | undefined)?.remove?.();
}
