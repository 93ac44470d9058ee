import { type Socket } from 'node:net';
import { type Writable } from 'node:stream';
import { GraceError, show } from '../errors.js';
import { type Adopted } from './kept.js';

/**
 * Goes on with a connection that comes from the predecessor.
 *
 * @param state - what the program's `leave()` returned there.
 * @param head - what was received and not read there; often empty.
 */
export type Adopter<Connection extends Writable = Socket, State = unknown> = (connection: Connection, state: State, head: Buffer) => void;

/** Turns a socket into what a program writes to; gets what was received and not read. */
export type Framing = (socket: Socket, head: Buffer) => Writable;

const NOTHING = Buffer.alloc(0);

/** What a program does with each kind of connection. */
export class Adopters {
  readonly #adopters = new Map<string, Adopter<Writable>>();
  readonly #framings = new Map<string, Framing>();

  get kinds(): readonly string[] {
    return [...this.#adopters.keys()];
  }

  /** @throws GraceError `OPTION_INVALID` */
  add(kind: string, adopter: Adopter<Writable>): void {
    checkKind(kind);
    if (typeof adopter !== 'function') throw invalid('adopter', adopter, 'a function');
    if (this.#adopters.has(kind)) throw invalid('kind', kind, 'a kind that has no adopter yet');
    this.#adopters.set(kind, adopter);
  }

  /** Sets what a program gets for a connection with this framing. */
  frame(name: string, framing: Framing): void {
    this.#framings.set(name, framing);
  }

  /** Gives a connection that came from the predecessor to its adopter. */
  run(kind: string, socket: Socket, { state, head, framing }: Adopted): void {
    const received = Buffer.from(head, 'base64');
    if (framing === undefined) {
      this.#adopter(kind)(socket, state, received);
      return;
    }
    const frame = this.#framings.get(framing);
    if (frame === undefined) throw new Error(`unknown framing ${framing}`);
    this.#adopter(kind)(frame(socket, received), state, NOTHING);
  }

  /** Gives a connection back to the program, because the successor did not take it. */
  takeBack(kind: string, connection: Writable, { state, head }: Adopted): void {
    this.#adopter(kind)(connection, state, Buffer.from(head, 'base64'));
  }

  #adopter(kind: string): Adopter<Writable> {
    const adopter = this.#adopters.get(kind);
    if (adopter === undefined) throw new Error(`there is no adopter for the kind ${kind}`);
    return adopter;
  }
}

/** @throws GraceError `OPTION_INVALID` */
export function checkKept(connection: unknown, kind: unknown, leave: unknown): void {
  if (typeof connection !== 'object' || connection === null || !('write' in connection)) {
    throw invalid('connection', connection, 'a socket, or a response');
  }
  checkKind(kind);
  if (typeof leave !== 'function') throw invalid('leave', leave, 'a function');
}

function checkKind(kind: unknown): void {
  if (typeof kind !== 'string' || kind === '') throw invalid('kind', kind, 'a name');
}

function invalid(subject: string, value: unknown, expected: string): GraceError {
  return new GraceError('OPTION_INVALID', `${subject} is ${show(value)}, expected ${expected}`, { subject, value });
}
