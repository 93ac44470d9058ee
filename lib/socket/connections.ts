import { type Server, type Socket } from 'node:net';

/** How many connections a server has. */
export interface ConnectionCounts {
  /** Open now, those that wait for a place among them. */
  readonly size: number;
  /** Accepted since the server began. */
  readonly accepted: number;
}

/** The connections that a server has accepted and that are still open, with what is to be remembered of each. */
export class Connections<Note> implements ConnectionCounts {
  /** Open, and not handed to the server yet, as it has no place for them; the oldest first. */
  readonly waiting = new Set<Socket>();
  /** Called when a connection has ended: a place may be free. */
  onEnd: () => void = () => undefined;
  readonly #open = new Map<Socket, Note>();
  readonly #note: () => Note;
  readonly #forget: (this: Socket) => void;
  #whenNone: (() => void)[] = [];
  #accepted = 0;

  constructor(server: Server, note: () => Note) {
    const forget = (socket: Socket): void => {
      this.#open.delete(socket);
      this.waiting.delete(socket);
      this.onEnd();
      if (this.#open.size > 0) return;
      this.#whenNone.forEach((done) => done());
      this.#whenNone = [];
    };
    this.#note = note;
    // One function for all sockets: a closure each would cost every idle connection its memory.
    this.#forget = function onClose(this: Socket): void {
      forget(this);
    };
    server.on('connection', (socket: Socket) => this.add(socket));
  }

  /** Follows a connection from now on; one that is followed already is left as it is. */
  add(socket: Socket): void {
    if (this.#open.has(socket)) return;
    this.#accepted += 1;
    this.#open.set(socket, this.#note());
    socket.once('close', this.#forget);
  }

  get size(): number {
    return this.#open.size;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get(socket: Socket): Note | undefined {
    return this.#open.get(socket);
  }

  [Symbol.iterator](): IterableIterator<[Socket, Note]> {
    return this.#open.entries();
  }

  /** Fulfils when none is open; at once where none is. */
  none(): Promise<void> {
    return new Promise((done) => {
      if (this.#open.size === 0) done();
      else this.#whenNone.push(done);
    });
  }

  destroyAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
