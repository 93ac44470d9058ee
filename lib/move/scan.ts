import { type Socket } from 'node:net';
import { type Onward } from './sender.js';

/** How often all connections are looked through for some that have become quiet. */
const LOOK_EVERY_MS = 50;
/** How long the event loop is kept busy at a time: ten thousand looks in one turn would delay every response. */
const SLICE_MS = 5;

/** What a {@link Scan} goes through. */
export interface Candidates {
  sockets(): Iterator<Socket, unknown>;
  offer(socket: Socket): void;
  /** Called when all connections were looked at. */
  onRound?(): void;
}

/** Offers connections one by one while there is room for more, and all of them again later. */
export class Scan {
  readonly #onward: Onward;
  readonly #candidates: Candidates;
  /** Connections that stand still already, and so do not wait for their turn. */
  readonly #first = new Set<Socket>();
  #sockets: Iterator<Socket, unknown> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #nextSlice: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(onward: Onward, candidates: Candidates) {
    this.#onward = onward;
    this.#candidates = candidates;
    onward.onChange(() => this.look());
  }

  /** False when nothing can move any more. */
  get goesOn(): boolean {
    return !this.#stopped && this.#onward.open;
  }

  /** Offers a connection before all others, as soon as there is room. */
  first(socket: Socket): void {
    this.#first.add(socket);
  }

  /** Goes on, while there is room. When all were looked at, only those of {@link first} are offered until the next round. */
  look(): void {
    if (!this.goesOn) return this.stop();
    if (this.#nextSlice !== undefined) return;
    const end = performance.now() + SLICE_MS;
    while (this.#onward.hasRoom) {
      const socket = this.#next();
      if (socket === undefined) return this.#lookAgain();
      this.#candidates.offer(socket);
      if (performance.now() >= end) return this.#goOnLater();
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearImmediate(this.#nextSlice);
  }

  #next(): Socket | undefined {
    for (const socket of this.#first) {
      this.#first.delete(socket);
      return socket;
    }
    if (this.#timer !== undefined) return undefined;
    this.#sockets ??= this.#candidates.sockets();
    const { value, done } = this.#sockets.next();
    return done === true ? undefined : value;
  }

  #goOnLater(): void {
    this.#nextSlice = setImmediate(() => {
      this.#nextSlice = undefined;
      this.look();
    });
  }

  #lookAgain(): void {
    if (this.#timer !== undefined) return;
    this.#sockets = undefined;
    this.#candidates.onRound?.();
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.look();
    }, LOOK_EVERY_MS);
  }
}
