import { subscribe } from 'node:diagnostics_channel';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { type Exchange } from './exchange.js';

/** What Node.js keeps on a connection of an http.Server; not in the public types. */
interface HttpSocket {
  /** The response that is being written. Those of pipelined requests wait behind it. */
  readonly _httpMessage?: ServerResponse | null;
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
}

/** Read in the text of Node.js, because following each request from the start, to see it, is what this file avoids. */
const isShown = String(ServerResponse.prototype.assignSocket).includes('_httpMessage');
const newest = new WeakMap<Socket, ServerResponse>();

// A Node.js version that works in another way: requests are slower by a few per cent.
if (!isShown) {
  subscribe('http.server.request.start', (message) => {
    const { socket, response } = message as Exchange;
    newest.set(socket, response);
  });
}

/** The response that is still to be written on a connection, or on its way out of this process. */
export function currentResponse(socket: Socket): ServerResponse | undefined {
  const response = isShown ? (socket as HttpSocket)._httpMessage : newest.get(socket);
  return response && !response.writableFinished && !response.destroyed ? response : undefined;
}

/** Whether a client has sent a further request before this one was answered. */
export function isFollowed(request: IncomingMessage, socket: Socket): boolean {
  const latest = (socket as HttpSocket).parser?.incoming ?? request;
  return latest !== request;
}
