import { type Server } from 'node:net';
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
   * Called once, when the drain begins. New connections may still come for a moment.
   *
   * @param onward - where connections can move to; undefined if they end here.
   */
  begin(onward?: Onward): void;
  /** Called when no new connection can come. Fulfils when none is left. */
  finished(): Promise<void>;
  /** Called at the deadline: destroys what is left, and returns how many exchanges that cut off. */
  cutOff(): number;
}

/** A server of an unknown protocol: its connections end when the clients or the program end them. */
export class PlainService implements Service {
  readonly connections: Connections<undefined>;

  constructor(server: Server) {
    this.connections = new Connections(server, () => undefined);
  }

  begin(): void {
    // There is no message to a client that is part of every protocol.
  }

  finished(): Promise<void> {
    return this.connections.none();
  }

  inFlight(): number {
    return this.connections.size;
  }

  cutOff(): number {
    const count = this.inFlight();
    this.connections.destroyAll();
    return count;
  }
}
