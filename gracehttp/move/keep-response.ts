import { type ServerResponse } from 'node:http';
import { type Writable } from 'node:stream';
import { type Kept } from '../../lib/move/kept.js';
import { type HttpConnections } from '../http/http-connections.js';
import { CHUNKED, MovedResponse } from './moved-response.js';

/** A response of this process, or the rest of one that came from the predecessor. */
export type LongResponse = ServerResponse | MovedResponse;

export function isResponse(connection: Writable): connection is LongResponse {
  return connection instanceof MovedResponse || 'writeHead' in connection;
}

/** How a response without end moves: in chunks, each of which is whole and written. */
export function keepResponse(response: LongResponse, kind: string, leave: () => unknown, connections: HttpConnections): Kept {
  const isQuiet = response instanceof MovedResponse ? () => isWritten(response) : () => isBetweenChunks(response, connections);
  return { kind, connection: response, leave, isQuiet, framing: CHUNKED };
}

function isWritten(response: LongResponse): boolean {
  return response.writableLength === 0 && !response.writableEnded && !response.destroyed;
}

/**
 * Whether the next thing to write is a chunk. The rest of a compressed response
 * cannot be written by another process, and a request that came after this one is
 * in this process already.
 */
function isBetweenChunks(response: ServerResponse, connections: HttpConnections): boolean {
  const { socket } = response;
  if (socket === null || !response.headersSent || !response.chunkedEncoding || response.hasHeader('content-encoding')) return false;
  return isWritten(response) && connections.isBetweenRequests(socket, response);
}
