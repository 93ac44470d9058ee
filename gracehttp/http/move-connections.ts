import { type Server, type Socket } from 'node:net';
import { type Onward } from '../../lib/move/sender.js';
import { begunRequests, parserOf } from './begun-requests.js';
import { type HttpConnections } from './http-connections.js';
import { speaksHttp2 } from './speaks-http.js';

/** What an HTTP/1.1 connection between two requests is called in the messages to the successor. */
export const HTTP1 = 'http/1.1';

/** How often the connections are looked through for some that have become idle. */
const LOOK_EVERY_MS = 50;

/** What goes with a connection. */
export interface HttpDetails {
  /** Whether it has had a response: then it is kept for `keepAliveTimeout`. */
  readonly hasSpoken: boolean;
}

/**
 * Moves the connections of an HTTP server to the successor: each one as soon as it
 * has no request in flight. None is closed, and no response says `Connection: close`.
 */
export class MoveConnections {
  readonly #server: Server;
  readonly #connections: HttpConnections;
  readonly #onward: Onward;
  /** Connections of which a request has begun, at the last look and at this one. */
  #begun = new Set<Socket>();
  #begunNow = new Set<Socket>();
  #candidates: Iterator<Socket> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** Whether a server takes connections: it speaks HTTP/1.1 without TLS. */
  static takenBy(server: Server): boolean {
    return !('setSecureContext' in server) && !speaksHttp2(server);
  }

  /** Whether the connections of a server can move at all. */
  static possible(server: Server, onward: Onward | undefined): onward is Onward {
    return MoveConnections.takenBy(server) && onward !== undefined && onward.takes(HTTP1) && begunRequests(server) !== undefined;
  }

  constructor(server: Server, connections: HttpConnections, onward: Onward) {
    this.#server = server;
    this.#connections = connections;
    this.#onward = onward;
    connections.onIdle = (socket) => this.#offerSoon(socket);
    onward.onChange(() => this.#fill());
    this.#fill();
  }

  /** Connections that cannot move now, because a part of a request has been read. */
  get begun(): ReadonlySet<Socket> {
    return this.#begun;
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Sends connections while there is room; if it has looked at all, it looks again later. */
  #fill(): void {
    if (this.#stopped || !this.#onward.open) return this.stop();
    const begun = begunRequests(this.#server);
    while (this.#onward.hasRoom) {
      this.#candidates ??= this.#connections.served();
      const { value: socket } = this.#candidates.next() as IteratorResult<Socket, undefined>;
      if (socket === undefined) {
        this.#candidates = undefined;
        this.#begun = this.#begunNow;
        this.#begunNow = new Set();
        this.#timer?.refresh();
        this.#timer ??= setTimeout(() => this.#fill(), LOOK_EVERY_MS);
        return;
      }
      this.#offer(socket, begun);
    }
  }

  /** A response is finished: Node.js lets go of it in the rest of this turn. */
  #offerSoon(socket: Socket): void {
    if (this.#stopped || !this.#onward.hasRoom) return;
    process.nextTick(() => {
      if (!this.#stopped && this.#onward.hasRoom) this.#offer(socket, begunRequests(this.#server));
    });
  }

  #offer(socket: Socket, begun: ReadonlySet<object> | undefined): void {
    const parser = parserOf(socket);
    if (begun === undefined || parser === undefined || !this.#isIdle(socket)) return;
    // Until its first byte, a connection counts as if it had begun a request.
    if (socket.bytesRead > 0 && begun.has(parser)) {
      this.#begunNow.add(socket);
      return;
    }
    const details: HttpDetails = { hasSpoken: this.#connections.get(socket)?.hasSpoken === true };
    void this.#onward.send(HTTP1, socket, details);
  }

  /** Whether nothing is left to write, and nothing that was read waits. A connection that is under way is paused. */
  #isIdle(socket: Socket): boolean {
    if (socket.isPaused() || !this.#connections.isIdle(socket)) return false;
    return socket.writableLength === 0 && socket.readableLength === 0 && !socket.writableEnded && !socket.readableEnded;
  }
}
