import { type Socket } from 'node:net';
import { type Connections } from '../../lib/socket/connections.js';

/** Delivering a connection to an http.Server takes 20 to 50 µs, so a long queue is delivered in slices. */
const SLICE_MS = 5;

export interface QueueHandler {
  /** Whether a place is free. */
  hasRoom(): boolean;
  /** Gives a connection to the server. */
  deliver(socket: Socket): void;
  /** Called after connections were added or delivered. */
  onChange(): void;
}

/** Connections that are accepted, not read, and wait for a place; the oldest gets the first. */
export class ConnectionQueue {
  readonly #connections: Connections<unknown>;
  readonly #handler: QueueHandler;
  #scheduled = false;

  constructor(connections: Connections<unknown>, handler: QueueHandler) {
    this.#connections = connections;
    this.#handler = handler;
  }

  get size(): number {
    return this.#connections.waiting.size;
  }

  add(socket: Socket): void {
    this.#connections.add(socket);
    this.#connections.waiting.add(socket);
    // A connection that the program emitted itself did not come paused.
    if (!socket.isPaused()) socket.pause();
    this.#handler.onChange();
  }

  /** Delivers connections while there is room. */
  deliver(): void {
    const { waiting } = this.#connections;
    const end = performance.now() + SLICE_MS;
    for (const socket of waiting) {
      if (!this.#handler.hasRoom()) break;
      if (performance.now() >= end) {
        this.#schedule(setImmediate);
        break;
      }
      waiting.delete(socket);
      if (!socket.destroyed) this.#handler.deliver(socket);
    }
    this.#handler.onChange();
  }

  /** {@link deliver}, after all listeners have heard of the event that is being handled. */
  deliverSoon(): void {
    this.#schedule(process.nextTick);
  }

  #schedule(run: (deliver: () => void) => unknown): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    run(() => {
      this.#scheduled = false;
      this.deliver();
    });
  }
}
