import { type Server, type Socket } from 'node:net';
import { closeWatcher } from '../on-close.js';

/** How many connections a server has. */
export interface ConnectionCounts {
  /** Open now, including those that wait for a place. */
  readonly size: number;
  /** Accepted since the server started. */
  readonly accepted: number;
  /** Taken over from the predecessor. */
  readonly moved: number;
}

/** The open connections of a server, with a note for each. */
export class Connections<Note> implements ConnectionCounts {
  /** Accepted, but not given to the server while it has no place for them; with the time (performance.now()) of each. The oldest is first. */
  readonly waiting = new Map<Socket, number>();
  /** Whether the waiting ones move to the successor, and so get no place here: each place goes with the connection that has it. */
  waitingMove = false;
  /** Called when a connection has ended: a place may be free. */
  onEnd: () => void = () => undefined;
  /** Called when a connection has come from the predecessor, and with it its place. */
  onMoved: () => void = () => undefined;
  /** Connections inside of this process, which are neither followed nor counted. */
  readonly ignored = new WeakSet<Socket>();
  readonly #open = new Map<Socket, Note>();
  readonly #note: (socket: Socket) => Note;
  readonly #watch: (socket: Socket) => void;
  #whenNone: (() => void)[] = [];
  #accepted = 0;
  #moved = 0;

  constructor(server: Server, note: (socket: Socket) => Note) {
    this.#watch = closeWatcher((socket) => {
      this.#open.delete(socket);
      this.waiting.delete(socket);
      this.onEnd();
      if (this.#open.size > 0) return;
      this.#whenNone.forEach((done) => done());
      this.#whenNone = [];
    });
    this.#note = note;
    server.on('connection', (socket: Socket) => this.add(socket));
  }

  /**
   * Follows a connection from now on. Does nothing if it is followed already, or {@link ignored}.
   *
   * @param moved - whether it comes from the predecessor.
   */
  add(socket: Socket, moved = false): void {
    if (this.#open.has(socket) || this.ignored.has(socket)) return;
    if (moved) this.#moved += 1;
    else this.#accepted += 1;
    this.#open.set(socket, this.#note(socket));
    if (moved) this.onMoved();
    this.#watch(socket);
  }

  /** Puts a connection that is not the newest one to its place among those that wait. @param since - as in {@link waiting}. */
  waitAgain(socket: Socket, since: number): void {
    const newer = [...this.waiting].filter(([, other]) => other > since);
    for (const [each] of newer) this.waiting.delete(each);
    for (const [each, time] of [[socket, since] as const, ...newer]) this.waiting.set(each, time);
  }

  get size(): number {
    return this.#open.size;
  }

  get accepted(): number {
    return this.#accepted;
  }

  get moved(): number {
    return this.#moved;
  }

  get(socket: Socket): Note | undefined {
    return this.#open.get(socket);
  }

  /** Whether a connection is open and one of this server. */
  follows(socket: Socket): boolean {
    return this.#open.has(socket);
  }

  notes(): IterableIterator<Note> {
    return this.#open.values();
  }

  [Symbol.iterator](): IterableIterator<[Socket, Note]> {
    return this.#open.entries();
  }

  /** Fulfils when no connection is open. */
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
