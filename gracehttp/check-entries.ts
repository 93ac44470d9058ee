import { Server } from 'node:net';
import { GraceError, show } from '../lib/errors.js';
import { speaksHttp } from './http/speaks-http.js';
import { checkLimitOptions } from './limit/limit-options.js';
import { type ServerEntry } from './server-entry.js';

/**
 * Checks what a program passed to `serve()`, before anything is bound.
 *
 * @throws GraceError `SERVER_INVALID`, `OPTION_INVALID`
 */
export function checkEntries(entries: readonly ServerEntry[]): void {
  if (entries.length === 0) throw invalid('serve() was called without a server', 'servers', entries.length);
  const seen = new Set<Server>();
  for (const [index, entry] of entries.entries()) {
    const subject = `servers[${index}]`;
    checkTypes(subject, entry);
    const { server, listen } = entry;
    const what = `${subject} (${listen})`;
    if (server.listening) throw invalid(`${what} is already listening on ${JSON.stringify(server.address())}`, subject, listen);
    if (seen.has(server)) throw invalid(`${what} is a server that was passed twice`, subject, listen);
    checkLimitOptions(entry, speaksHttp(server));
    seen.add(server);
  }
}

function checkTypes(subject: string, entry: unknown): void {
  if (entry instanceof Server) {
    const expected = '{ server, listen } or a server made by createServer(address, handler)';
    throw invalid(`${subject} is a server without an address, expected ${expected}`, subject, entry);
  }
  const { server, listen, name } = (entry ?? {}) as Partial<ServerEntry>;
  if (!(server instanceof Server)) {
    throw invalid(`${subject}.server is ${show(server)}, expected an http, https or net server`, subject, server);
  }
  if (typeof listen !== 'string' && typeof listen !== 'number') {
    throw invalid(`${subject}.listen is ${show(listen)}, expected an address`, `${subject}.listen`, listen);
  }
  if (name !== undefined && typeof name !== 'string') {
    throw invalid(`${subject}.name is ${show(name)}, expected a string`, `${subject}.name`, name);
  }
}

function invalid(message: string, subject: string, value: unknown): GraceError {
  return new GraceError('SERVER_INVALID', message, { subject, value });
}
