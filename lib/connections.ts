import { type Server, type Socket } from 'node:net';

/** The connections that a server has accepted and that are still open, with what is to be remembered of each. */
export class Connections<Note> {
  readonly #open = new Map<Socket, Note>();
  #waiting: (() => void)[] = [];

  constructor(server: Server, note: () => Note) {
    const forget = (socket: Socket): void => {
      this.#open.delete(socket);
      if (this.#open.size > 0) return;
      this.#waiting.forEach((done) => done());
      this.#waiting = [];
    };
    // One function for all sockets: a closure each would cost every idle connection its memory.
    function onClose(this: Socket): void {
      forget(this);
    }
    server.on('connection', (socket: Socket) => {
      this.#open.set(socket, note());
      socket.once('close', onClose);
    });
  }

  get size(): number {
    return this.#open.size;
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
      else this.#waiting.push(done);
    });
  }

  destroyAll(): void {
    for (const socket of this.#open.keys()) socket.destroy();
  }
}
