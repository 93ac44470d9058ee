import { type Server, type Socket } from 'node:net';

/** A server that can accept connections without reading from them. It is an option of net.Server; the property is not in the types. */
export interface Pausing {
  pauseOnConnect: boolean;
}

/** Decides about a new connection: true lets it pass, false takes it. */
export type Guard = (socket: Socket) => boolean;

const gates = new WeakMap<Server, Gate>();

/**
 * Decides about each new connection of a server before any 'connection' listener
 * hears of it, including listeners that the program adds later.
 *
 * Each server has one gate, which all parts of this library share. It replaces
 * `emit` once and never puts it back, because others may have replaced it since.
 */
export class Gate {
  readonly #server: Server & Pausing;
  readonly #emit: Server['emit'];
  readonly #pausedByProgram: boolean;
  readonly #pausedBy = new Set<object>();
  #guards: readonly Guard[] = [];

  private constructor(server: Server) {
    this.#server = server as Server & Pausing;
    this.#emit = server.emit;
    this.#pausedByProgram = this.#server.pauseOnConnect;
    server.emit = (event: string | symbol, ...args: unknown[]): boolean =>
      event === 'connection' ? this.admit(args[0] as Socket) : (Reflect.apply(this.#emit, server, [event, ...args]) as boolean);
  }

  /** The gate of a server; it is made at the first call. */
  static of(server: Server): Gate {
    const gate = gates.get(server) ?? new Gate(server);
    gates.set(server, gate);
    return gate;
  }

  /** Adds a guard behind the others, or in front of them. Returns a function that removes it. */
  guard(guard: Guard, where: 'behind' | 'in front' = 'behind'): () => void {
    this.#guards = where === 'behind' ? [...this.#guards, guard] : [guard, ...this.#guards];
    return () => {
      this.#guards = this.#guards.filter((other) => other !== guard);
    };
  }

  /** Sets whether the next connections come unread, as far as `by` is concerned. Node.js asks at each accept. */
  pause(by: object, paused: boolean): void {
    if (paused) this.#pausedBy.add(by);
    else this.#pausedBy.delete(by);
    this.#pauseOrNot();
  }

  /** Asks the guards, and gives the connection to the server if all let it pass. */
  admit(socket: Socket): boolean {
    return this.#guards.every((guard) => guard(socket)) ? this.deliver(socket) : true;
  }

  /** Gives a connection to the server, whatever the guards say. It may have come unread. */
  deliver(socket: Socket): boolean {
    const server = this.#server;
    if (!this.#pausedByProgram && socket.isPaused()) unpause(socket);
    // tls.Server reads the property too: a TLS connection that is created paused would never be read.
    server.pauseOnConnect = this.#pausedByProgram;
    try {
      return Reflect.apply(this.#emit, server, ['connection', socket]) as boolean;
    } finally {
      this.#pauseOrNot();
    }
  }

  #pauseOrNot(): void {
    this.#server.pauseOnConnect = this.#pausedByProgram || this.#pausedBy.size > 0;
  }
}

/** Puts a connection that was accepted paused into the state of any new connection: reading, and not flowing yet. */
function unpause(socket: Socket): void {
  (socket as { readableFlowing: boolean | null }).readableFlowing = null;
  socket.read(0);
}
