import { type Server } from 'node:net';
import { type ConnectionCounts, Connections } from './connections.js';

/** What the core has to know of a server to bring its connections to their end. */
export interface Service {
  /** How many there are; counted from the moment they are accepted. */
  readonly connections: ConnectionCounts;
  /** Called once, when the draining begins; new connections may still come for a moment after it. */
  begin(): void;
  /** Called when no connection can come any more. Fulfils when none is left. */
  finished(): Promise<void>;
  /** The deadline: destroys what is left. Returns how many exchanges that cut off. */
  cutOff(): number;
}

/** A server of an unknown protocol: its connections end when their peers or the program end them. */
export class PlainService implements Service {
  readonly connections: Connections<undefined>;

  constructor(server: Server) {
    this.connections = new Connections(server, () => undefined);
  }

  begin(): void {
    // Nothing that holds for every protocol can be said to a peer.
  }

  finished(): Promise<void> {
    return this.connections.none();
  }

  cutOff(): number {
    const count = this.connections.size;
    this.connections.destroyAll();
    return count;
  }
}
