import { type EventEmitter } from 'node:events';
import { type Http2Session } from 'node:http2';

/** The HTTP/2 sessions of a server. */
export class Http2Sessions {
  readonly #open = new Set<Http2Session>();
  #draining = false;

  constructor(server: EventEmitter) {
    server.on('session', (session: Http2Session) => {
      this.#open.add(session);
      session.once('close', () => this.#open.delete(session));
      if (this.#draining) session.close();
    });
  }

  /** Streams under way, which is what a deadline would cut off. */
  get size(): number {
    return this.#open.size;
  }

  /** GOAWAY (RFC 9113, 6.8): open streams are finished, later ones refused, which is safe to retry. */
  begin(): void {
    this.#draining = true;
    for (const session of this.#open) session.close();
  }
}

/** Whether a server speaks HTTP/2, told without loading `node:http2` for those that do not. */
export function speaksHttp2(server: object): boolean {
  return 'updateSettings' in server;
}
