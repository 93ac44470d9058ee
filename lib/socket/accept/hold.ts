import { type Server, type Socket } from 'node:net';
import { nextTurn } from '../../deadline.js';
import { Gate } from './gate.js';

/** Handing a connection to an http.Server takes 20 to 50 µs. */
const SLICE_MS = 5;

/**
 * Lets a server accept connections without reading from them, and holds them
 * back from its 'connection' listeners until {@link letGo}.
 */
export class Hold {
  readonly #gate: Gate;
  readonly #held: Socket[] = [];
  readonly #remove: () => void;
  #count = 0;

  constructor(server: Server) {
    this.#gate = Gate.of(server);
    this.#gate.pause(this, true);
    // In front of a limit, which would start to read what has a place.
    this.#remove = this.#gate.guard((socket) => {
      this.#count += 1;
      this.#held.push(socket);
      return false;
    }, 'in front');
  }

  /** How many connections were accepted. */
  get count(): number {
    return this.#count;
  }

  /** Gives the connections to the server, in the order in which they were accepted, and destroys those that are not for it. */
  async letGo(isOwn: (socket: Socket) => boolean = () => false): Promise<void> {
    this.#remove();
    this.#gate.pause(this, false);
    let end = performance.now() + SLICE_MS;
    for (const socket of this.#held) {
      if (performance.now() >= end) {
        await nextTurn();
        end = performance.now() + SLICE_MS;
      }
      if (isOwn(socket)) socket.destroy();
      else if (!socket.destroyed) this.#gate.admit(socket);
    }
  }
}
