import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { type IncomingMessage, type ServerResponse } from 'node:http';
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
 * program answers in `checkContinue` or `checkExpectation`. This costs some per cent of the
 * requests a second, so it is done only while responses have to be changed.
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
