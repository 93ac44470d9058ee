import { type Socket } from 'node:net';
import { type Writable } from 'node:stream';
import { messageOf } from '../errors.js';
import { warn } from '../log.js';
import { handleOf, readOn, stopReading } from './handle.js';
import { Scan } from './scan.js';
import { type Onward } from './sender.js';

/** The state of one connection, as JSON, may have this many bytes: it goes through the channel, with others behind it. */
export const MAX_STATE_BYTES = 64 * 1024;

/** A connection that a program can hand to its successor. */
export interface Kept {
  /** What kind of connection it is; the successor needs an adopter for it. */
  readonly kind: string;
  /** What the program writes to: the socket, or the response on it. */
  readonly connection: Writable;
  /** Whether it can move now: nothing is left to be written to it. */
  isQuiet(): boolean;
  /** The program stops writing. Its state of the connection, which has to be JSON; undefined for "not now". */
  leave(): unknown;
  /** How the connection goes on in the successor, see {@link Adopted}. */
  readonly framing?: string;
}

/** What goes with a connection. */
export interface Adopted {
  readonly state: unknown;
  /** What was received and not read by the program, as base64. */
  readonly head: string;
  readonly framing?: string | undefined;
}

/** Goes on with a connection that the program has left, but the successor has not taken. */
export type TakeBack = (kind: string, connection: Writable, adopted: Adopted) => void;

/** Those that are open. Not by server: most servers have many connections that nobody keeps, and a look through all of them takes long. */
const kept = new Map<Socket, Kept>();

/**
 * Remembers that a connection can move.
 *
 * @returns a function that forgets it.
 */
export function keepConnection(socket: Socket, entry: Kept): () => void {
  if (socket.destroyed) return () => undefined;
  if (!kept.has(socket)) socket.once('close', onClose);
  kept.set(socket, entry);
  return () => {
    if (kept.get(socket) === entry) forget(socket);
  };
}

function forget(socket: Socket): void {
  kept.delete(socket);
  socket.off('close', onClose);
}

function onClose(this: Socket): void {
  kept.delete(this);
}

/** The kind, as it is named to the other process. */
export function keptKind(kind: string): string {
  return `keep:${kind}`;
}

/** Moves the connections that a program keeps. Those whose kind the successor does not adopt stay. */
export class MoveKept {
  readonly #onward: Onward;
  readonly #takeBack: TakeBack;
  readonly #scan: Scan;

  /** @param isOurs - whether a connection is one of the server that drains. */
  constructor(isOurs: (socket: Socket) => boolean, onward: Onward, takeBack: TakeBack) {
    this.#onward = onward;
    this.#takeBack = takeBack;
    this.#scan = new Scan(onward, {
      sockets: () => kept.keys(),
      offer: (socket) => {
        if (isOurs(socket)) this.#offer(socket);
      },
    });
    this.#scan.look();
  }

  stop(): void {
    this.#scan.stop();
  }

  #offer(socket: Socket): void {
    const entry = kept.get(socket);
    if (entry === undefined || !this.#onward.takes(keptKind(entry.kind))) return;
    if (handleOf(socket) === undefined || socket.writableLength > 0 || !socket.writable || !entry.isQuiet()) return;
    const wasPaused = socket.isPaused();
    if (!stopReading(socket)) return;
    const state = leave(entry, socket);
    if (state === undefined) readOn(socket, !wasPaused);
    else void this.#move(socket, entry, state);
  }

  async #move(socket: Socket, entry: Kept, state: unknown): Promise<void> {
    const { kind, connection, framing } = entry;
    forget(socket);
    // The program may have written a last piece.
    if (socket.writableLength > 0) await new Promise((done) => socket.write('', done));
    const head = ((socket.read() as Buffer | string | null) ?? '') as Buffer | string;
    const adopted: Adopted = { state, head: Buffer.from(head as string).toString('base64'), framing };
    if ((await this.#onward.send(keptKind(kind), socket, adopted)) || socket.destroyed) return;
    try {
      this.#takeBack(kind, connection, adopted);
    } catch (error) {
      warn(`a connection of kind ${kind} is closed, because its adopter failed: ${messageOf(error)}`);
      socket.destroy();
    }
  }
}

/** The state of the program, if it lets go and the state can be sent. */
function leave(entry: Kept, socket: Socket): unknown {
  const state = letGo(entry, socket);
  if (state === undefined) return undefined;
  try {
    checkState(state);
    return state;
  } catch (error) {
    // Nobody in this process goes on with it.
    warn(`a connection of kind ${entry.kind} is closed, because it cannot move: ${messageOf(error)}`);
    socket.destroy();
    return undefined;
  }
}

/** A program that throws has not let go: it goes on with the connection, which is no longer kept. */
function letGo(entry: Kept, socket: Socket): unknown {
  try {
    return entry.leave();
  } catch (error) {
    forget(socket);
    warn(`a connection of kind ${entry.kind} cannot move: ${messageOf(error)}`);
    return undefined;
  }
}

/** @throws Error if the state of a connection cannot be sent to another process. */
export function checkState(state: unknown): void {
  const bytes = Buffer.byteLength(JSON.stringify(state));
  if (bytes > MAX_STATE_BYTES) throw new Error(`its state has ${bytes} bytes of JSON, the limit is ${MAX_STATE_BYTES}`);
}
