import { type IncomingMessage, type ServerResponse } from 'node:http';

/** Requests that are answered when the test says so. */
export class HeldRequests {
  /** The paths of all requests so far, in order. */
  readonly arrived: string[] = [];
  /** The most requests that were open at the same time. */
  most = 0;
  readonly #open: ServerResponse[] = [];

  readonly handler = (request: IncomingMessage, response: ServerResponse): void => {
    this.arrived.push(request.url!);
    this.#open.push(response);
    this.most = Math.max(this.most, this.#open.length);
  };

  get open(): number {
    return this.#open.length;
  }

  /** Answers the oldest open requests, all of them by default. */
  answer(count = this.#open.length): void {
    for (const response of this.#open.splice(0, count)) response.end('served');
  }
}
