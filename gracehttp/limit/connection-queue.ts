import { type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';
import { type Connections } from '../../lib/socket/connections.js';
import { isStillThere } from './still-there.js';

/** Delivering a connection to an http.Server takes 20 to 50 µs, so a long queue is delivered in slices. */
const SLICE_MS = 5;

export interface QueueOptions {
  /** The longest time that a connection waits, in milliseconds; 0 for no limit. */
  readonly timeout: number;
  /** Whether to drop connections whose clients have left while they waited, so that their requests are not run. */
  readonly dropsLeft: boolean;
}

export interface QueueHandler {
  /** Whether a place is free. */
  hasRoom(): boolean;
  /** Gives a connection to the server. */
  deliver(socket: Socket): void;
  /** A connection has waited too long and is no longer in the queue. */
  expire(socket: Socket): void;
  /** Called after connections were added or delivered. */
  onChange(): void;
}

/** Connections that are accepted, not read, and wait for a place; the oldest gets the first. */
export class ConnectionQueue {
  readonly #connections: Connections<unknown>;
  readonly #options: QueueOptions;
  readonly #handler: QueueHandler;
  /** Connections that have a place, and are looked at before the server gets them. */
  readonly #next = new Set<Socket>();
  #scheduled = false;
  #timer: NodeJS.Timeout | undefined;
  /** Since when the connection waits for which the timer is set. */
  #timedSince = Infinity;

  constructor(connections: Connections<unknown>, options: QueueOptions, handler: QueueHandler) {
    this.#connections = connections;
    this.#options = options;
    this.#handler = handler;
  }

  get size(): number {
    return this.#connections.waiting.size - this.#next.size;
  }

  /** @param waited - milliseconds, in the predecessor. */
  add(socket: Socket, waited = 0): void {
    this.#connections.add(socket);
    if (waited === 0) this.#connections.waiting.set(socket, performance.now());
    else this.#connections.waitAgain(socket, performance.now() - waited);
    // The server does not listen to it yet, and an error that nobody hears of would end this process.
    socket.on('error', ignore);
    // A connection that the program emitted itself did not come paused.
    if (!socket.isPaused()) socket.pause();
    this.#expireLater();
    this.#handler.onChange();
  }

  /** Delivers connections while there is room. */
  deliver(): void {
    const { waiting } = this.#connections;
    const end = performance.now() + SLICE_MS;
    for (const socket of waiting.keys()) {
      if (!this.#handler.hasRoom()) break;
      if (performance.now() >= end) {
        this.#schedule(setImmediate);
        break;
      }
      if (this.#next.has(socket)) continue;
      if (this.#options.dropsLeft) void this.#deliverIfThere(socket);
      else this.#deliver(socket);
    }
    // For one that came back from the successor.
    this.#expireLater();
    this.#handler.onChange();
  }

  /** {@link deliver}, after all listeners have heard of the event that is being handled. */
  deliverSoon(): void {
    if (this.size > 0) this.#schedule(process.nextTick);
    else this.#handler.onChange();
  }

  #deliver(socket: Socket): void {
    // False if it has closed meanwhile.
    if (!this.#connections.waiting.delete(socket) || socket.destroyed) return;
    this.#handler.deliver(socket);
    socket.off('error', ignore);
  }

  async #deliverIfThere(socket: Socket): Promise<void> {
    this.#next.add(socket);
    // Its end may come before the look is over, and frees its place.
    const forget = (): unknown => this.#next.delete(socket);
    socket.prependOnceListener('close', forget);
    const there = await isStillThere(socket);
    socket.off('close', forget);
    this.#next.delete(socket);
    if (there) {
      this.#deliver(socket);
      this.#handler.onChange();
    } else {
      this.#connections.waiting.delete(socket);
      socket.destroy();
    }
  }

  #schedule(run: (deliver: () => void) => unknown): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    run(() => {
      this.#scheduled = false;
      this.deliver();
    });
  }

  /** One timer for the oldest connection is enough: all wait equally long. One that comes from another process may be older. */
  #expireLater(): void {
    const { timeout } = this.#options;
    const [oldest = Infinity] = this.#connections.waiting.values();
    if (timeout === 0 || oldest >= this.#timedSince) return;
    clearTimeout(this.#timer);
    this.#timedSince = oldest;
    this.#timer = setTimeout(
      () => {
        // After a long computation, a place may be free because of something that Node.js has not read yet.
        void nextTurn().then(() => this.#expire());
      },
      oldest + timeout - performance.now(),
    ).unref();
  }

  #expire(): void {
    const { waiting } = this.#connections;
    this.#timedSince = Infinity;
    const now = performance.now();
    for (const [socket, since] of waiting) {
      // A timer fires up to a millisecond early.
      if (now - since < this.#options.timeout - 1) break;
      if (this.#next.has(socket)) continue;
      waiting.delete(socket);
      this.#handler.expire(socket);
    }
    this.#expireLater();
    this.#handler.onChange();
  }
}

const ignore = (): void => undefined;
