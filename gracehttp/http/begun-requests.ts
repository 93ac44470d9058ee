import { type Server, type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';
import { errnoCode } from '../../lib/errors.js';

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

/** What a connection of an http.Server has of its server; not in the public types. */
interface OfServer {
  server?: Server;
}

/**
 * A connection that comes from the predecessor is between two requests. But after
 * `headersTimeout` Node.js would answer 408, as if it had connected and said
 * nothing, and its client could take that for the answer to its next request. So
 * this one error does not reach the server. The next request counts from its first
 * byte, as always.
 *
 * @param kept - it is closed after so many milliseconds without a byte; 0: never. Later Node.js does that.
 */
export function expectNoRequest(socket: Socket, kept = 0): void {
  const connection = socket as OfServer;
  const { server } = connection;
  if (server !== undefined) {
    const emit = (event: string, ...args: unknown[]): boolean => {
      const isEarly = event === 'clientError' && errnoCode(args[0]) === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.bytesRead === 0;
      return isEarly || server.emit(event, ...args);
    };
    connection.server = Object.create(server, { emit: { value: emit } }) as Server;
  }
  if (kept === 0) return;
  setTimeout(async () => {
    // Timers run before what has arrived is read.
    await nextTurn();
    if (server !== undefined) connection.server = server;
    if (socket.bytesRead === 0) socket.destroy();
  }, kept).unref();
}
