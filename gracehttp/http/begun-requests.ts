import { type Server, type Socket } from 'node:net';

/** The parsers of an http.Server's connections, of which Node.js keeps a list to find late requests. */
interface ParserList {
  active?: () => readonly object[];
}

/** Whether a server shows which requests have begun. Node.js has that only in an undocumented list; a version may not have it. */
export function seesBegunRequests(server: Server): boolean {
  return typeof parsersOf(server)?.active === 'function';
}

/**
 * Whether bytes of a request are gone from the kernel, although no handler may have
 * been called yet: with a pipelined request they can come before the answer to the
 * one before.
 */
export function hasBegun(server: Server, socket: Socket): boolean {
  const parser = parserOf(socket);
  // Until its first byte, a connection counts as if it had begun a request.
  if (parser !== undefined && socket.bytesRead === 0) return false;
  return parser === undefined || parsersOf(server)?.active?.().includes(parser) !== false;
}

function parsersOf(server: Server): ParserList | undefined {
  const key = Object.getOwnPropertySymbols(server).find(({ description }) => description === 'http.server.connections');
  return key && (Reflect.get(server, key) as ParserList | undefined);
}

function parserOf(socket: Socket): object | undefined {
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
