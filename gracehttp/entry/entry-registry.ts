import { type Server } from 'node:net';
import { type Servable, type ServerEntry } from './server-entry.js';

const entries = new WeakMap<object, ServerEntry>();

/** Remembers the entry of a server, so that `serve()` takes the server alone. */
export function attachEntry(server: Server, entry: ServerEntry): void {
  entries.set(server, entry);
}

/** The entry that was attached to a server. Anything else is returned as it is, for the caller to check. */
export function entryOf(servable: Servable): Exclude<Servable, Server> {
  const isKey = typeof servable === 'object' && servable !== null;
  return (isKey ? entries.get(servable) : undefined) ?? (servable as Exclude<Servable, Server>);
}
