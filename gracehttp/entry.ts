import { type Server } from 'node:net';
import { type ThrottleOptions } from './limit/connection-limit.js';

/** How a server is to be served, beside where. */
export interface EntryOptions extends ThrottleOptions {
  /** What messages call it, and the `FileDescriptorName=` it goes by under systemd. */
  readonly name?: string;
  /** Permissions of a unix socket's file, for example 0o660. Default: what the umask leaves. */
  readonly mode?: number;
  /** Length of the kernel's queue. Default 511; for a socket that somebody else bound the kernel's maximum. */
  readonly backlog?: number;
}

/** A server and where it is to serve. */
export interface ServerEntry extends EntryOptions {
  /** An `http.Server`, `https.Server`, HTTP/2 server, or any other `net.Server`; not listening yet. */
  readonly server: Server;
  /** The address, see {@link parseAddress}: `:8080`, `127.0.0.1:8080`, `unix:/run/app.sock`, `systemd:web`, … */
  readonly listen: string | number;
}

const entries = new WeakMap<object, ServerEntry>();

/** Makes a server one that knows where it is to serve. */
export function attachEntry(server: Server, entry: ServerEntry): void {
  entries.set(server, entry);
}

/** The entry of a server that createServer() made; an entry is its own. */
export function entryOf(server: Server | ServerEntry): ServerEntry {
  // What is neither is the caller's to refuse.
  return entries.get(server) ?? (server as ServerEntry);
}
