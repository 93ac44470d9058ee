import { type Server, type Socket } from 'node:net';
import { type Connections } from '../../lib/socket/connections.js';
import { wholeNumber } from '../../lib/options.js';
import { Admission } from './admission.js';
import { ConnectionQueue } from './connection-queue.js';
import { type LimitOptions } from './limit-options.js';
import { type Overflow, refuse } from './overflow.js';

const DEFAULT_MAX_QUEUED = 1_024;

/**
 * Limits how many connections a server has at the same time. Further connections
 * are accepted, and read when a place is free: their clients see a slow server
 * instead of an error. A server without a limit is not changed.
 */
export class ConnectionLimit {
  /** Called after a connection has closed. */
  onEnd: () => void = () => undefined;
  readonly #server: Server;
  readonly #connections: Connections<unknown>;
  readonly #queue: ConnectionQueue;
  readonly #maxQueued: number;
  readonly #overflow: Overflow;
  readonly #onQueue: (waiting: boolean) => void;
  /** Connections that were refused and are not closed yet. */
  readonly #closing = new Set<Socket>();
  /** There from the first limit on. */
  #admission: Admission | undefined;
  #maximum = Infinity;
  #reserved = 0;
  #refused = 0;
  #wasWaiting = false;

  /** @param onQueue - called when the first connection begins to wait, and when no connection waits any longer. */
  constructor(
    server: Server,
    connections: Connections<unknown>,
    { maxConnections, maxQueued, overflow }: LimitOptions,
    onQueue: (waiting: boolean) => void,
  ) {
    this.#server = server;
    this.#connections = connections;
    this.#maxQueued = maxQueued ?? DEFAULT_MAX_QUEUED;
    this.#overflow = overflow ?? 'reset';
    this.#onQueue = onQueue;
    this.#queue = new ConnectionQueue(connections, {
      hasRoom: () => this.free !== 0,
      deliver: (socket) => this.#admission?.deliver(socket),
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

  /** Gives the server a connection that comes from the predecessor, and with it the place that it had there. */
  deliver(socket: Socket): void {
    this.#reserved = Math.max(0, this.#reserved - 1);
    if (this.#admission === undefined) this.#server.emit('connection', socket);
    else this.#admission.deliver(socket);
    this.#update();
  }

  #install(): void {
    if (this.#admission !== undefined) return;
    this.#admission = new Admission(this.#server, (socket) => this.#admits(socket), () => this.#update());
    this.#connections.onEnd = () => {
      // The program may hear of this end only now too, and count connections itself.
      this.#queue.deliverSoon();
      this.onEnd();
    };
  }

  #admits(socket: Socket): boolean {
    if (this.queued === 0 && this.free > 0) return true;
    if (this.queued < this.#maxQueued) this.#queue.add(socket);
    else this.#refuse(socket);
    return false;
  }

  #refuse(socket: Socket): void {
    this.#refused += 1;
    this.#closing.add(socket);
    // Registered before Connections hears of the end, because it then asks how many are served.
    socket.once('close', () => this.#closing.delete(socket));
    this.#connections.add(socket);
    refuse(this.#server, socket, this.#overflow);
  }

  #update(): void {
    const waiting = this.queued > 0;
    this.#admission?.pause(waiting || this.free === 0);
    if (waiting === this.#wasWaiting) return;
    this.#wasWaiting = waiting;
    this.#onQueue(waiting);
  }
}
