import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type IncomingMessage, ServerResponse } from 'node:http';
import { type Server, type Socket } from 'node:net';

/** A request and its response, as `node:http` publishes them before any handler runs. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: Server;
}

/** What is called for the exchanges of one server. */
export interface ExchangeHandler {
  onRequest(exchange: Exchange): void;
  /** The whole response was written. Not called if the connection broke first. */
  onResponse(exchange: Exchange): void;
}

/** One subscription for all servers: with one each, every server would be called for every other's requests. */
const handlers = new Map<Server, ExchangeHandler>();

const onStart = (message: unknown): void => {
  const exchange = message as Exchange;
  handlers.get(exchange.server)?.onRequest(exchange);
};
const onFinish = (message: unknown): void => {
  const exchange = message as Exchange;
  handlers.get(exchange.server)?.onResponse(exchange);
};

/**
 * Follows every request that a server receives from now on, including those that a
 * program answers in `checkContinue` or `checkExpectation`. This costs time at each
 * request, so it is done only while responses have to be changed.
 *
 * @returns a function that ends it.
 */
export function followExchanges(server: Server, handler: ExchangeHandler): () => void {
  if (handlers.size === 0) {
    subscribe('http.server.request.start', onStart);
    subscribe('http.server.response.finish', onFinish);
  }
  handlers.set(server, handler);
  return () => {
    if (!handlers.delete(server) || handlers.size > 0) return;
    unsubscribe('http.server.request.start', onStart);
    unsubscribe('http.server.response.finish', onFinish);
  };
}

/** What Node.js keeps on a connection of an http.Server; not in the public types. */
interface HttpSocket {
  /** The response that is being written. Those of pipelined requests wait behind it. */
  readonly _httpMessage?: ServerResponse | null;
  readonly parser?: { readonly incoming?: IncomingMessage | null } | null;
}

/** Read in the text of Node.js: to see it in action, each request would have to be followed. */
const isShown = String(ServerResponse.prototype.assignSocket).includes('_httpMessage');
const newest = new WeakMap<Socket, ServerResponse>();

// A Node.js version that works in another way: this costs time at each request.
if (!isShown) {
  subscribe('http.server.request.start', (message) => {
    const { socket, response } = message as Exchange;
    newest.set(socket, response);
  });
}

/** The response on a connection that is still to be written, or on its way out of this process. */
export function currentResponse(socket: Socket): ServerResponse | undefined {
  const response = isShown ? (socket as HttpSocket)._httpMessage : newest.get(socket);
  return response && !response.writableFinished && !response.destroyed ? response : undefined;
}

/** Whether a client has sent a further request before this one was answered. */
export function isFollowed(request: IncomingMessage, socket: Socket): boolean {
  const latest = (socket as HttpSocket).parser?.incoming ?? request;
  return latest !== request;
}
