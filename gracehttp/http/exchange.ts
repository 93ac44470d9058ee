import { subscribe } from 'node:diagnostics_channel';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Server, type Socket } from 'node:net';

/** A request and its answer, as `node:http` announces them, before any handler runs. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly server: Server;
}

/** What hears of a server's exchanges. */
export interface ExchangeHandler {
  begun(exchange: Exchange): void;
  /** The answer is out; not called where the connection broke before. */
  answered(exchange: Exchange): void;
}

/** One subscription serves all servers: each would otherwise be told of the others' requests. */
const handlers = new WeakMap<Server, ExchangeHandler>();
let subscribed = false;

/**
 * Follows every request that a server receives, those that a program answers to
 * `checkContinue` or `checkExpectation` among them. The channels are the cheapest
 * way that Node.js offers; two listeners a request more would show beside a bare server.
 */
export function followExchanges(server: Server, handler: ExchangeHandler): void {
  handlers.set(server, handler);
  if (subscribed) return;
  subscribed = true;
  subscribe('http.server.request.start', (message) => {
    const exchange = message as Exchange;
    handlers.get(exchange.server)?.begun(exchange);
  });
  subscribe('http.server.response.finish', (message) => {
    const exchange = message as Exchange;
    handlers.get(exchange.server)?.answered(exchange);
  });
}
