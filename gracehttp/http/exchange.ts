import { subscribe } from 'node:diagnostics_channel';
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
const handlers = new WeakMap<Server, ExchangeHandler>();
let subscribed = false;

/**
 * Follows every request that a server receives, including those that a program
 * answers in `checkContinue` or `checkExpectation`. Diagnostics channels are the
 * cheapest way that Node.js offers; two more listeners a request would be
 * measurable against a bare server.
 */
export function followExchanges(server: Server, handler: ExchangeHandler): void {
  handlers.set(server, handler);
  if (subscribed) return;
  subscribed = true;
  subscribe('http.server.request.start', (message) => {
    const exchange = message as Exchange;
    handlers.get(exchange.server)?.onRequest(exchange);
  });
  subscribe('http.server.response.finish', (message) => {
    const exchange = message as Exchange;
    handlers.get(exchange.server)?.onResponse(exchange);
  });
}
