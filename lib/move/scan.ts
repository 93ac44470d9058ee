import { type Socket } from 'node:net';
import { type Onward } from './sender.js';

/** How often all connections are looked through for some that have become quiet. */
const LOOK_EVERY_MS = 50;

/** Offers connections one by one while there is room for more, and all of them again later. */
export class Scan {
  readonly #onward: Onward;
  readonly #sockets: () => Iterator<Socket, unknown>;
  readonly #offer: (socket: Socket) => void;
  readonly #onRound: () => void;
  #candidates: Iterator<Socket, unknown> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  /** @param onRound - called when all connections were looked at. */
  constructor(onward: Onward, sockets: () => Iterator<Socket, unknown>, offer: (socket: Socket) => void, onRound: () => void = () => undefined) {
    this.#onward = onward;
    this.#sockets = sockets;
    this.#offer = offer;
    this.#onRound = onRound;
    onward.onChange(() => this.look());
  }

  /** False when nothing can move any more. */
  get goesOn(): boolean {
    return !this.#stopped && this.#onward.open;
  }

  look(): void {
    if (!this.goesOn) return this.stop();
    while (this.#onward.hasRoom) {
      this.#candidates ??= this.#sockets();
      const { value, done } = this.#candidates.next();
      if (done === true) return this.#lookAgain();
      this.#offer(value);
    }
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  #lookAgain(): void {
    this.#candidates = undefined;
    this.#onRound();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.look(), LOOK_EVERY_MS);
  }
}
