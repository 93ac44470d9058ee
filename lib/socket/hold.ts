import { type Server, type Socket } from 'node:net';
import { nextTurn } from '../deadline.js';

/** A server that can accept connections without reading from them. It is an option of net.Server; the property is not in the types. */
export interface Pausing {
  pauseOnConnect: boolean;
}

/** Handing a connection to an http.Server takes 20 to 50 µs. */
const SLICE_MS = 5;

/**
 * Lets a server accept connections without reading from them, and holds them
 * back from its 'connection' listeners until {@link letGo}.
 */
export class Hold {
  readonly #server: Server & Pausing;
  readonly #emit: Server['emit'];
  readonly #pausesAnyway: boolean;
  readonly #held: Socket[] = [];
  #count = 0;

  constructor(server: Server) {
    this.#server = server as Server & Pausing;
    this.#emit = server.emit;
    this.#pausesAnyway = this.#server.pauseOnConnect;
    this.#server.pauseOnConnect = true;
    server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
      if (event !== 'connection') return Reflect.apply(this.#emit, server, [event, ...args]) as boolean;
      this.#count += 1;
      this.#held.push(args[0] as Socket);
      return true;
    };
  }

  /** How many connections were accepted. */
  get count(): number {
    return this.#count;
  }

  /** Gives the connections to the server, in the order in which they were accepted. */
  async letGo(): Promise<void> {
    this.#server.emit = this.#emit;
    this.#server.pauseOnConnect = this.#pausesAnyway;
    let end = performance.now() + SLICE_MS;
    for (const socket of this.#held) {
      if (performance.now() >= end) {
        await nextTurn();
        end = performance.now() + SLICE_MS;
      }
      if (socket.destroyed) continue;
      if (!this.#pausesAnyway) unpause(socket);
      this.#server.emit('connection', socket);
    }
  }
}

/** Puts a connection that was accepted paused into the state of any new connection: reading, and not flowing yet. */
export function unpause(socket: Socket): void {
  (socket as { readableFlowing: boolean | null }).readableFlowing = null;
  socket.read(0);
}
