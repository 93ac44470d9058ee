import { type Server, type Socket } from 'node:net';
import { readOn, stopReading } from '../../lib/move/handle.js';
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
  readonly #underWay = new Set<Socket>();
  /** Connections on which always another request was in flight. They are not read until they have moved. */
  readonly #halted = new Set<Socket>();
  /** Connections of which a part of a request has been read, at the last look and at this one. */
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
    connections.onAnswered = (socket) => this.#look(socket);
    onward.onChange(() => this.#fill());
    this.#fill();
  }

  /** Connections that cannot move now, because a part of a request has been read. */
  get begun(): ReadonlySet<Socket> {
    return this.#begun;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#halted.forEach(readOn);
    this.#halted.clear();
  }

  /** Sends connections while there is room; if it has looked at all, it looks again later. */
  #fill(): void {
    if (this.#stopped || !this.#onward.open) return this.stop();
    const begun = begunRequests(this.#server);
    for (const socket of this.#halted) this.#offer(socket, begun);
    while (this.#onward.hasRoom) {
      this.#candidates ??= this.#connections.served();
      const { value: socket } = this.#candidates.next() as IteratorResult<Socket, undefined>;
      if (socket === undefined) return this.#lookAgain();
      this.#offer(socket, begun);
    }
  }

  #lookAgain(): void {
    this.#candidates = undefined;
    this.#begun = this.#begunNow;
    this.#begunNow = new Set();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fill(), LOOK_EVERY_MS);
  }

  /** A response is finished: Node.js lets go of it in the rest of this turn. */
  #look(socket: Socket): void {
    if (this.#stopped) return;
    process.nextTick(() => {
      if (!this.#stopped) this.#offer(socket, begunRequests(this.#server));
    });
  }

  #offer(socket: Socket, begun: ReadonlySet<object> | undefined): void {
    const parser = parserOf(socket);
    const connection = this.#connections.get(socket);
    if (begun === undefined || parser === undefined || connection?.http1 !== true || this.#underWay.has(socket)) return;
    const isHalted = this.#halted.has(socket);
    if (socket.isPaused() && !isHalted) return;
    // Until its first byte, a connection counts as if it had begun a request.
    const hasBegun = socket.bytesRead > 0 && begun.has(parser);
    if (hasBegun && !connection.inFlight) this.#begunNow.add(socket);
    if (hasBegun) return;
    if (connection.inFlight) {
      if (connection.isPipelined && !isHalted && stopReading(socket)) this.#halted.add(socket);
    } else if (this.#onward.hasRoom && isQuiet(socket)) void this.#send(socket, connection.hasSpoken);
  }

  async #send(socket: Socket, hasSpoken: boolean): Promise<void> {
    const details: HttpDetails = { hasSpoken };
    this.#underWay.add(socket);
    this.#halted.delete(socket);
    await this.#onward.send(HTTP1, socket, details);
    this.#underWay.delete(socket);
  }
}

/** Whether nothing is left to write, and nothing that was read waits. */
function isQuiet(socket: Socket): boolean {
  return socket.writableLength === 0 && socket.readableLength === 0 && !socket.writableEnded && !socket.readableEnded;
}
