import { type Server, type Socket } from 'node:net';
import { readOn, stopReading } from '../../lib/move/handle.js';
import { Scan } from '../../lib/move/scan.js';
import { type Onward } from '../../lib/move/sender.js';
import { hasBegun, seesBegunRequests } from './begun-requests.js';
import { type HttpConnection } from './http-connection.js';
import { type HttpConnections } from './http-connections.js';
import { speaksHttp2 } from './speaks-http.js';

/** What an HTTP/1.1 connection between two requests is called in the messages to the successor. */
export const HTTP1 = 'http/1.1';

/** What goes with a connection. */
export interface HttpDetails {
  /** Whether it has had a response: then it is kept for `keepAliveTimeout`. */
  readonly hasSpoken: boolean;
  /** Milliseconds that it has waited for a place; undefined if it has one. */
  readonly waited?: number;
}

/**
 * Moves the connections of an HTTP server to the successor: each one as soon as it
 * has no request in flight. None is closed, and no response says `Connection: close`.
 * Those that wait for a place of a limit move first: they go on waiting in the successor.
 */
export class MoveConnections {
  readonly #server: Server;
  readonly #connections: HttpConnections;
  readonly #onward: Onward;
  readonly #underWay = new Set<Socket>();
  /** Connections on which another request was always in flight. They are not read until they have moved. */
  readonly #halted = new Set<Socket>();
  /** Connections of which a part of a request has been read, at the last look and at this one. */
  #begun = new Set<Socket>();
  #begunNow = new Set<Socket>();
  /** Those that the successor did not take, for example because its limit is smaller: they end here. */
  readonly #refused = new Set<Socket>();
  readonly #endingHere = new WeakSet<HttpConnection>();
  #stopClosing: (() => void) | undefined;
  readonly #scan: Scan;
  #stopFollowing: () => void;

  /** Whether a server takes connections: it speaks HTTP/1.1 without TLS. */
  static takenBy(server: Server): boolean {
    return !('setSecureContext' in server) && !speaksHttp2(server);
  }

  /** Whether the connections of a server can move at all. */
  static possible(server: Server, onward: Onward | undefined): onward is Onward {
    return MoveConnections.takenBy(server) && onward?.takes(HTTP1) === true && seesBegunRequests(server);
  }

  constructor(server: Server, connections: HttpConnections, onward: Onward) {
    this.#server = server;
    this.#connections = connections;
    this.#onward = onward;
    this.#stopFollowing = connections.whenAnswered((socket) => this.#look(socket));
    this.#scan = new Scan(onward, {
      sockets: () => connections.movable(),
      offer: (socket) => this.#offer(socket),
      onRound: () => this.#endRound(),
    });
    connections.waitingMove = true;
    this.#scan.look();
  }

  /** Connections that cannot move: a part of a request has been read and the rest may never come, or the successor did not take it. */
  get left(): readonly Socket[] {
    return [...this.#begun, ...this.#refused];
  }

  stop(): void {
    this.#scan.stop();
    this.#stopClosing?.();
    this.#stopFollowing();
    this.#stopFollowing = () => undefined;
    for (const socket of this.#halted) readOn(socket);
    this.#halted.clear();
    this.#serveWaiting();
  }

  #endRound(): void {
    this.#begun = this.#begunNow;
    this.#begunNow = new Set();
  }

  /** A response is finished: Node.js lets go of it in the rest of this turn. */
  #look(socket: Socket): void {
    if (this.#scan.goesOn) process.nextTick(() => this.#offer(socket));
  }

  #offer(socket: Socket): void {
    const since = this.#connections.waiting.get(socket);
    if (since !== undefined) return this.#offerWaiting(socket, since);
    const connection = this.#connections.get(socket);
    if (!this.#scan.goesOn || connection?.http1 !== true || this.#underWay.has(socket) || this.#refused.has(socket)) return;
    const isHalted = this.#halted.has(socket);
    if (socket.isPaused() && !isHalted) return;
    if (connection.inFlight && (!connection.isPipelined || isHalted)) return;
    if (!connection.inFlight && !this.#onward.hasRoom) {
      // The others are served here until it is their turn.
      if (isHalted) this.#scan.first(socket);
      return;
    }
    if (hasBegun(this.#server, socket)) {
      if (!connection.inFlight) this.#begunNow.add(socket);
    } else if (connection.inFlight) {
      if (stopReading(socket)) this.#halted.add(socket);
    } else if (isQuiet(socket)) {
      void this.#send(socket, connection.hasSpoken);
    }
  }

  /** It is not read while it waits, unless it is about to get a place. */
  #offerWaiting(socket: Socket, since: number): void {
    if (!this.#connections.waitingMove || !this.#scan.goesOn || !this.#onward.hasRoom || !socket.isPaused()) return;
    // The program has read from it before the server got it.
    if (socket.bytesRead > 0) return this.#serveWaiting();
    this.#connections.waiting.delete(socket);
    void this.#sendWaiting(socket, since);
  }

  async #sendWaiting(socket: Socket, since: number): Promise<void> {
    const taken = await this.#onward.send(HTTP1, socket, { hasSpoken: false, waited: performance.now() - since } satisfies HttpDetails);
    if (taken || socket.destroyed) return;
    socket.pause();
    this.#connections.waitAgain(socket, since);
    this.#serveWaiting();
  }

  /** The successor does not take those that wait: they get places here. */
  #serveWaiting(): void {
    this.#connections.waitingMove = false;
    this.#connections.onEnd();
  }

  async #send(socket: Socket, hasSpoken: boolean): Promise<void> {
    const details: HttpDetails = { hasSpoken };
    this.#underWay.add(socket);
    this.#halted.delete(socket);
    const taken = await this.#onward.send(HTTP1, socket, details);
    this.#underWay.delete(socket);
    if (!taken && this.#scan.goesOn) this.#endHere(socket);
  }

  /** As without a move: after its next response, or when it has been idle. */
  #endHere(socket: Socket): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return;
    this.#refused.add(socket);
    this.#endingHere.add(connection);
    socket.once('close', () => this.#refused.delete(socket));
    this.#stopClosing ??= this.#connections.closeWhen((each) => this.#endingHere.has(each));
  }
}

/** Whether nothing is left to write, and nothing that was read waits. */
function isQuiet(socket: Socket): boolean {
  return socket.writableLength === 0 && socket.readableLength === 0 && !socket.writableEnded && !socket.readableEnded;
}
