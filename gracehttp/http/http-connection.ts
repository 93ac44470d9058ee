import { type IncomingMessage, type ServerResponse } from 'node:http';
import { closeAfterResponse } from './close-after-response.js';
import { lingerOverUpload } from './lingering-close.js';

/** What is known of one connection of an HTTP server. */
export class HttpConnection {
  /** Whether it speaks HTTP/1. False after an upgrade, and if TLS agreed on HTTP/2. */
  http1: boolean;
  /** Whether it has sent a request. */
  hasSpoken = false;
  /** Whether it came from the predecessor and has a timeout for its next request. */
  timesOut = false;
  /** Whether the newest request came before the one before it was answered. */
  isPipelined = false;
  /** The newest request and its response. HTTP/1 answers in order, so it is the last one to finish. */
  #request: IncomingMessage | undefined = undefined;
  #response: ServerResponse | undefined = undefined;
  /** Undoes {@link closeAfterResponse} for the newest response. */
  #keepOpen: (() => void) | undefined = undefined;

  constructor(http1: boolean) {
    this.http1 = http1;
  }

  /** Whether a response is still to be written, or on its way out of this process. */
  get inFlight(): boolean {
    return this.#response !== undefined && !this.#response.writableFinished && !this.#response.destroyed;
  }

  requestStarted(request: IncomingMessage, response: ServerResponse): void {
    // A pipelined request: the response before it is no longer the last one.
    this.isPipelined = this.inFlight;
    if (this.isPipelined) this.#keepOpen?.();
    this.#keepOpen = undefined;
    this.hasSpoken = true;
    this.#request = request;
    this.#response = response;
  }

  /** Drops what is finished, so that an idle connection takes no more memory than Node.js itself needs for it. */
  responseFinished(response: ServerResponse): void {
    if (this.#response !== response) return;
    this.#request = undefined;
    this.#response = undefined;
    this.#keepOpen = undefined;
  }

  /** Closes the connection after the response that is in flight, if there is one. */
  closeAfterResponse(): void {
    if (this.#request === undefined || this.#response === undefined) return;
    if (!this.inFlight || this.#keepOpen !== undefined) return;
    this.#keepOpen = closeAfterResponse(this.#response);
    lingerOverUpload(this.#request, this.#request.socket);
  }
}
