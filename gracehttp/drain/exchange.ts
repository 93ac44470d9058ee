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

type OnExchange = (exchange: Exchange) => void;

/** One subscription serves all servers: each would otherwise be told of the others' requests. */
const handlers = new WeakMap<Server, OnExchange>();
let subscribed = false;

/**
 * Tells of every request that a server receives, those that a program answers
 * to `checkContinue` or `checkExpectation` among them. The channel is the cheapest
 * way that Node.js offers; a listener a request more would show beside a bare server.
 */
export function onExchange(server: Server, handler: OnExchange): void {
  handlers.set(server, handler);
  if (subscribed) return;
  subscribed = true;
  subscribe('http.server.request.start', (message) => {
    const exchange = message as Exchange;
    handlers.get(exchange.server)?.(exchange);
  });
}
