import { type EventEmitter } from 'node:events';
import { type Http2Session } from 'node:http2';

/** The open HTTP/2 sessions of a server. */
export class Http2Sessions {
  readonly #open = new Set<Http2Session>();
  #closing = false;

  constructor(server: EventEmitter) {
    server.on('session', (session: Http2Session) => {
      this.#open.add(session);
      session.once('close', () => this.#open.delete(session));
      if (this.#closing) session.close();
    });
  }

  /** Sessions that open later are kept again. */
  open(): void {
    this.#closing = false;
  }

  /**
   * Sends GOAWAY (RFC 9113, 6.8) on every session, and on sessions that open
   * later. Open streams finish; later ones are refused, which is safe to retry.
   */
  close(): void {
    this.#closing = true;
    for (const session of this.#open) session.close();
  }
}
