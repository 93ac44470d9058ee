import { type Server, type Socket } from 'node:net';
import { type Connections } from '../../lib/socket/connections.js';
import { Gate } from '../../lib/socket/accept/gate.js';
import { wholeNumber } from '../../lib/check/numbers.js';
import { HttpConnections } from '../http/http-connections.js';
import { speaksPlainHttp } from '../http/speaks-http.js';
import { ConnectionQueue } from './connection-queue.js';
import { DEFAULT_QUEUE_TIMEOUT_MS, type LimitOptions } from './limit-options.js';
import { RoomMaker } from './make-room.js';
import { type Overflow, refuse } from './overflow.js';

const DEFAULT_MAX_QUEUED = 1_024;

/**
 * Limits how many connections a server has at the same time. Further connections
 * are accepted, and read when a place is free: their clients see a slow server
 * instead of an error. A server without a limit is not changed.
 */
export class ConnectionLimit {
  /** Called after a connection has closed, from the first limit on. */
  onEnd: () => void = () => undefined;
  /** Called when a connection begins to wait, and when one no longer waits. */
  onQueue: () => void = () => undefined;
  readonly #server: Server;
  readonly #connections: Connections<unknown>;
  readonly #queue: ConnectionQueue;
  readonly #maxQueued: number;
  readonly #overflow: Overflow;
  /** Connections that were refused and are not closed yet. */
  readonly #closing = new Set<Socket>();
  /** There from the first limit on. */
  #gate: Gate | undefined;
  #maximum = Infinity;
  #reserved = 0;
  #refused = 0;
  #wasQueued = 0;
  /** Connections that wait in the successor for places that this process holds. */
  #waitingElsewhere = 0;
  /** There from the first limit on, if the server speaks HTTP. */
  #room: RoomMaker | undefined;

  constructor(server: Server, connections: Connections<unknown>, { maxConnections, maxQueued, queueTimeout, overflow }: LimitOptions) {
    this.#server = server;
    this.#connections = connections;
    this.#maxQueued = maxQueued ?? DEFAULT_MAX_QUEUED;
    this.#overflow = overflow ?? 'reset';
    connections.onMoved = () => {
      this.#reserved = Math.max(0, this.#reserved - 1);
    };
    // With TLS, a client that has left does not finish the handshake, so it has no request.
    const queue = { timeout: queueTimeout ?? DEFAULT_QUEUE_TIMEOUT_MS, dropsLeft: speaksPlainHttp(server) };
    this.#queue = new ConnectionQueue(connections, queue, {
      hasRoom: () => this.#givesPlaces,
      deliver: (socket) => this.#gate?.deliver(socket),
      expire: (socket) => this.#refuse(socket, '503'),
      onChange: () => this.#update(),
    });
    if (maxConnections !== undefined) this.limit(maxConnections);
  }

  /** The limit; `Infinity` if there is none. */
  get maximum(): number {
    return this.#maximum;
  }

  /** Connections that wait for a place. */
  get queued(): number {
    return this.#queue.size;
  }

  /** Connections that have a place. */
  get served(): number {
    return this.#connections.size - this.queued - this.#closing.size;
  }

  /** Connections that were refused so far. */
  get refused(): number {
    return this.#refused;
  }

  /** Places that are free; `Infinity` if there is no limit. */
  get free(): number {
    // A predecessor that has not reported yet reserves Infinity, and Infinity - Infinity is NaN.
    if (this.#maximum === Infinity) return Infinity;
    return Math.max(0, this.#maximum - this.#reserved - this.served);
  }

  /** Whether a connection that comes from the predecessor would be one too many: the limit there was higher. */
  get isFull(): boolean {
    return this.served >= this.#maximum;
  }

  /** Sets the limit or asks for the free places: see `ServedServer.limit()`. */
  limit(maximum = -1): number {
    if (maximum !== Infinity) wholeNumber('limit', maximum, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    if (maximum < 0) return this.free;
    this.#maximum = maximum;
    if (maximum !== Infinity) this.#install();
    this.#queue.deliver();
    return this.free;
  }

  /** Keeps places free for the connections of a predecessor that drains. */
  reserve(places: number): void {
    this.#reserved = places;
    this.#queue.deliver();
  }

  /** Places that are kept free for a predecessor. */
  get reserved(): number {
    return this.#reserved;
  }

  /** Gives the server a connection that has a place already: it had it in the predecessor, or as another protocol. */
  deliver(socket: Socket): void {
    if (this.#gate === undefined) this.#server.emit('connection', socket);
    else this.#gate.deliver(socket);
    this.#update();
  }

  /** Whether a new connection gets a place at once. */
  get hasPlace(): boolean {
    return this.queued === 0 && this.#givesPlaces;
  }

  /** While connections move, a place that seems free is held in the successor by the connection that had it. */
  get #givesPlaces(): boolean {
    return this.free > 0 && !this.#connections.waitingMove;
  }

  /** Whether one more connection may wait. */
  get mayWait(): boolean {
    return this.queued < this.#maxQueued;
  }

  /** A connection that has waited in the predecessor goes on waiting. @param waited - milliseconds. */
  waitOn(socket: Socket, waited: number): void {
    this.#queue.add(socket, waited);
  }

  /** This process drains, and this many connections of its successor wait for places. */
  makeRoomFor(waiting: number): void {
    this.#waitingElsewhere = waiting;
    this.#makesRoom();
    this.#room?.update();
  }

  /** The successor is gone, and with it the connections that waited there. */
  serveAgain(): void {
    this.#waitingElsewhere = 0;
    this.#room?.serveAgain();
  }

  #makesRoom(): void {
    if (!(this.#connections instanceof HttpConnections)) return;
    this.#room ??= new RoomMaker(this.#connections, {
      here: () => this.queued,
      elsewhere: () => this.#waitingElsewhere,
    });
  }

  #install(): void {
    if (this.#gate !== undefined) return;
    this.#gate = Gate.of(this.#server);
    this.#gate.guard((socket) => this.#admits(socket));
    this.#connections.onEnd = () => {
      // The program may learn of this end only now too, and it may count connections itself.
      this.#queue.deliverSoon();
      this.onEnd();
    };
    this.#makesRoom();
  }

  #admits(socket: Socket): boolean {
    const admitted = this.hasPlace;
    if (admitted) this.#connections.add(socket);
    else if (this.mayWait) this.#queue.add(socket);
    else this.#refuse(socket, this.#overflow);
    this.#update();
    return admitted;
  }

  #refuse(socket: Socket, overflow: Overflow): void {
    this.#refused += 1;
    this.#closing.add(socket);
    // In front of Connections, which asks at the end how many are served.
    socket.prependOnceListener('close', () => this.#closing.delete(socket));
    this.#connections.add(socket);
    refuse(this.#server, socket, overflow);
  }

  #update(): void {
    const { queued } = this;
    this.#gate?.pause(this, queued > 0 || this.free === 0);
    if (queued === this.#wasQueued) return;
    this.#wasQueued = queued;
    this.#room?.update();
    this.onQueue();
  }
}
