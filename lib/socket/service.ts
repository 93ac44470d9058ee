import { type Server, type Socket } from 'node:net';
import { MoveKept, type TakeBack } from '../move/kept.js';
import { type Onward } from '../move/sender.js';
import { type ConnectionCounts, Connections } from './connections.js';

/** What the core has to know about a server to drain its connections. */
export interface Service {
  /** How many there are, counted from accept on. */
  readonly connections: ConnectionCounts;
  /** What it counts as in flight. Default `connection`. */
  readonly unit?: 'request' | 'connection';
  /** How many exchanges {@link cutOff} would cut off now. Default 0. */
  inFlight?(): number;
  /**
   * Called when the drain begins; once more for each drain after {@link resume}. New connections may still come for a moment.
   *
   * @param onward - where connections can move to; undefined if they end here.
   * @param takeBack - for a connection that the program keeps, see MoveKept.
   * @param spread - milliseconds in which connections that cannot move leave, one after the other.
   */
  begin(onward?: Onward, takeBack?: TakeBack, spread?: number): void;
  /** A connection of this server that the program kept has come from the predecessor. Without this method, none can. */
  adopt?(socket: Socket): void;
  /** The drain is taken back: connections are kept again. */
  resume(): void;
  /** Called when no new connection can come. Fulfils when none is left; that may be long after {@link resume}, and then changes nothing. */
  finished(): Promise<void>;
  /** Called at the deadline: destroys what is left, and returns how many exchanges that cut off. */
  cutOff(): number;
}

/** A server of an unknown protocol: its connections end when the clients or the program end them. */
export class PlainService implements Service {
  readonly connections: Connections<undefined>;
  #moving: MoveKept | undefined;

  constructor(server: Server) {
    this.connections = new Connections(server, () => undefined);
  }

  /** Tells the clients nothing: no message is part of every protocol. */
  begin(onward?: Onward, takeBack?: TakeBack): void {
    if (onward === undefined || takeBack === undefined) return;
    this.#moving = new MoveKept((socket) => this.connections.follows(socket), onward, takeBack);
  }

  adopt(socket: Socket): void {
    this.connections.add(socket, true);
  }

  resume(): void {
    this.#moving?.stop();
    this.#moving = undefined;
  }

  async finished(): Promise<void> {
    const moving = this.#moving;
    await this.connections.none();
    moving?.stop();
  }

  inFlight(): number {
    return this.connections.size;
  }

  cutOff(): number {
    this.#moving?.stop();
    const count = this.inFlight();
    this.connections.destroyAll();
    return count;
  }
}

const UNITS = ['request', 'connection'] as const;

/** What a drain would wait for, or what it cut off: `2 requests`, `1 request and 3 connections`, `no request`. */
export function describeInFlight(counts: readonly { readonly unit: Service['unit']; readonly count: number }[]): string {
  const parts = UNITS.flatMap((unit) => {
    const sum = counts.filter((entry) => (entry.unit ?? 'connection') === unit).reduce((total, { count }) => total + count, 0);
    return sum === 0 ? [] : [`${sum} ${unit}${sum === 1 ? '' : 's'}`];
  });
  return parts.length === 0 ? 'no request' : parts.join(' and ');
}
