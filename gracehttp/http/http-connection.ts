import { type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { currentResponse, isFollowed } from './exchange.js';

/** What is known of one connection of an HTTP server. */
export class HttpConnection {
  /** The socket on which its requests come: with TLS, that of the TLS connection; undefined until that is known. */
  socket: Socket | undefined;
  /** Whether it speaks HTTP/1. False after an upgrade, and if TLS agreed on HTTP/2. */
  http1: boolean;
  /** Whether it has left HTTP, by `Upgrade` or `CONNECT`. */
  upgraded = false;
  /** What a WebSocket is written to; undefined if it is none. */
  webSocket: Socket | undefined = undefined;
  /** Whether it has had a response in the predecessor. */
  spokeBefore = false;
  /** Whether a request came before the one before it was answered; seen only while the server's exchanges are followed. */
  pipelines = false;

  constructor(socket: Socket | undefined, http1: boolean) {
    this.socket = socket;
    this.http1 = http1;
  }

  /** Whether it has had a response, or has one in flight. */
  get hasSpoken(): boolean {
    return this.spokeBefore || this.inFlight || (this.socket !== undefined && this.socket.bytesWritten > 0);
  }

  /** The response that is being written; undefined if none is. */
  get response(): ServerResponse | undefined {
    return this.socket && currentResponse(this.socket);
  }

  /** Whether a response is still to be written, or on its way out of this process. */
  get inFlight(): boolean {
    return this.response !== undefined;
  }

  /** Whether a further request has come before the one in flight was answered. */
  get isPipelined(): boolean {
    const { response, socket } = this;
    return response !== undefined && socket !== undefined && isFollowed(response.req, socket);
  }
}
