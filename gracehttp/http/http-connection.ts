import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

/** What is known of one connection of an HTTP server. */
export class HttpConnection {
  /** Whether it speaks HTTP/1. False after an upgrade, and if TLS agreed on HTTP/2. */
  http1: boolean;
  /** Whether it has left HTTP, by `Upgrade` or `CONNECT`. */
  upgraded = false;
  /** What a WebSocket is written to; undefined if it is none. */
  webSocket: Socket | undefined = undefined;
  /** Whether it is known which TLS connection it carries. */
  secured = false;
  /** Whether it has sent a request. */
  hasSpoken = false;
  /** Called at the first request of a connection that came from the predecessor. */
  onFirstRequest: (() => void) | undefined = undefined;
  /** Whether the newest request came before the one before it was answered. */
  isPipelined = false;
  /** Whether any request did. */
  pipelines = false;
  /** The newest request and its response. HTTP/1 answers in order, so it is the last one to finish. */
  #request: IncomingMessage | undefined = undefined;
  #response: ServerResponse | undefined = undefined;

  constructor(http1: boolean) {
    this.http1 = http1;
  }

  /** The newest request; undefined if it is answered. */
  get request(): IncomingMessage | undefined {
    return this.#request;
  }

  /** The newest response; undefined if it is finished. */
  get response(): ServerResponse | undefined {
    return this.#response;
  }

  /** Whether a response is still to be written, or on its way out of this process. */
  get inFlight(): boolean {
    return this.#response !== undefined && !this.#response.writableFinished && !this.#response.destroyed;
  }

  requestStarted(request: IncomingMessage, response: ServerResponse): void {
    this.isPipelined = this.inFlight;
    if (this.isPipelined) this.pipelines = true;
    this.hasSpoken = true;
    this.#request = request;
    this.#response = response;
  }

  /** Drops what is finished, so that an idle connection takes no more memory than Node.js itself needs for it. */
  responseFinished(response: ServerResponse): void {
    if (this.#response !== response) return;
    this.#request = undefined;
    this.#response = undefined;
  }
}
