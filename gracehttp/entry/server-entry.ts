import { type RequestListener } from 'node:http';
import { type Server } from 'node:net';
import { type LimitOptions } from '../limit/limit-options.js';
import { type OnDrain } from './goodbye.js';

/** How a server is served, apart from its address. */
export interface EntryOptions extends LimitOptions {
  /** Names the server in messages and metrics, and picks the socket that systemd passes with this `FileDescriptorName=`. Default: none. */
  readonly name?: string;
  /** Permissions of a unix socket's file, for example `0o660`. Default: as the umask leaves them. */
  readonly mode?: number;
  /**
   * Length of the kernel's queue of connections that are not accepted yet.
   * Default 511; the kernel's maximum for a socket that another program bound.
   */
  readonly backlog?: number;
  /**
   * Tells clients that would stay, for example WebSockets, to leave: called when the
   * drain has begun and no new connection can come, with the server and the reason.
   * May be async; the drain waits for it, until `drainTimeout`. An error is a warning. Default: none.
   */
  readonly onDrain?: OnDrain;
}

/** A server and its address. */
export interface ServerEntry extends EntryOptions {
  /** An `http.Server`, `https.Server`, HTTP/2 server or any other `net.Server` that is not listening yet. */
  readonly server: Server;
  /** The address, see `parseAddress()` of `ts-grace`: `:8080`, `127.0.0.1:8080`, `unix:/run/app.sock`, `systemd:web`, … */
  readonly listen: string | number;
}

/** A request handler, for example an Express app, and the address to serve it on. */
export interface HandlerEntry extends EntryOptions {
  /** Served by `http.createServer(handler)`, with the timeouts of Node.js. For other ones, use createServer(). */
  readonly handler: RequestListener;
  /** The address, see `parseAddress()` of `ts-grace`. */
  readonly listen: string | number;
}

/** What `serve()` takes: an entry, or a server made by createServer(). */
export type Servable = ServerEntry | HandlerEntry | Server;
