import { createServer } from 'node:http';
import { Server } from 'node:net';
import { refuseUnknown } from '../../lib/check/names.js';
import { GraceError, show } from '../../lib/errors.js';
import { speaksHttp } from '../http/speaks-http.js';
import { checkLimitOptions } from '../limit/limit-options.js';
import { entryOf } from './entry-registry.js';
import { kindOf, serverInstead } from './not-a-server.js';
import { ENTRY_OPTIONS, IN_APP, IN_CREATE_SERVER, MEANT_IN_ENTRY } from './option-names.js';
import { type HandlerEntry, type Servable, type ServerEntry } from './server-entry.js';

/**
 * Checks what a program passed to `serve()`, before anything is bound, and turns
 * each value into an entry with a server.
 *
 * @throws GraceError `SERVER_INVALID`, `OPTION_INVALID`
 */
export function readEntries(servables: readonly Servable[]): readonly ServerEntry[] {
  if (servables.length === 0) throw invalid('serve() was called without a server', 'servers', servables.length);
  const seen = new Set<Server>();
  return servables.map((servable, index) => {
    const subject = `servers[${index}]`;
    const entry = readEntry(subject, servable);
    const { server, listen } = entry;
    if (server.listening) throw invalid(alreadyListening(`${subject} (${listen})`, server), subject, listen);
    if (seen.has(server)) throw invalid(`${subject} (${listen}) is a server that was passed twice`, subject, listen);
    checkLimitOptions(entry, speaksHttp(server));
    seen.add(server);
    return entry;
  });
}

function readEntry(subject: string, servable: unknown): ServerEntry {
  const entry = entryOf(servable as Servable);
  refuseParts(subject, entry);
  const names = ['server', 'handler', 'listen', ...ENTRY_OPTIONS];
  refuseUnknown({ options: entry, where: subject, names, prefix: `${subject}.`, meant: MEANT_IN_ENTRY }, [IN_APP, IN_CREATE_SERVER]);
  const { server, handler, listen, name, onDrain } = (entry ?? {}) as Partial<ServerEntry & HandlerEntry>;
  const readServer = handler === undefined ? asServer(subject, server) : serverFor(subject, handler, server);
  if (typeof listen !== 'string' && typeof listen !== 'number') {
    throw invalid(`${subject}.listen is ${show(listen)}, expected an address such as ':8080'`, `${subject}.listen`, listen);
  }
  if (name !== undefined && typeof name !== 'string') {
    throw invalid(`${subject}.name is ${show(name)}, expected a string`, `${subject}.name`, name);
  }
  if (onDrain !== undefined && typeof onDrain !== 'function') {
    throw invalid(`${subject}.onDrain is ${show(onDrain)}, expected a function`, `${subject}.onDrain`, onDrain);
  }
  return { ...(entry as ServerEntry), server: readServer };
}

/** A server, a handler, a framework's app or an address alone, or several entries in a list. */
function refuseParts(subject: string, value: unknown): void {
  if (value instanceof Server) {
    const expected = '{ server, listen } or a server made by createServer(address, handler)';
    throw invalid(`${subject} is a server without an address, expected ${expected}`, subject, value);
  }
  if (typeof value === 'function') {
    const expected = 'use { handler: app, listen }, or createServer(address, app)';
    throw invalid(`${subject} is ${kindOf(value)}, expected a server with an address: ${expected}`, subject, value);
  }
  if (Array.isArray(value)) {
    throw invalid(`${subject} is an array, expected { server, listen }: write serve(first, second), or serve(...entries)`, subject, value);
  }
  if (typeof value === 'string' || typeof value === 'number') {
    const expected = `expected { server, listen }: write serve({ handler, listen: ${show(value)} })`;
    throw invalid(`${subject} is ${show(value)}, ${expected}`, subject, value);
  }
  const instead = isFrameworkApp(value) ? serverInstead(value) : undefined;
  if (instead === undefined) return;
  throw invalid(`${subject} is ${kindOf(value)}, expected { server, listen }: for server, ${instead}`, subject, value);
}

/** An entry has an address in `listen`; an app that listens by itself has a method. */
function isFrameworkApp(value: unknown): boolean {
  const { listen, fetch } = (value ?? {}) as { readonly listen?: unknown; readonly fetch?: unknown };
  return typeof listen === 'function' || typeof fetch === 'function';
}

function asServer(subject: string, server: unknown): Server {
  if (server instanceof Server) return server;
  const instead = serverInstead(server);
  const message = `${subject}.server is ${kindOf(server)}, expected an http, https or net server`;
  throw invalid(instead === undefined ? message : `${message}: ${instead}`, subject, server);
}

function serverFor(subject: string, handler: unknown, server: unknown): Server {
  if (server !== undefined) throw invalid(`${subject} has a server and a handler, expected one of them`, subject, server);
  if (typeof handler === 'function') return createServer(handler as HandlerEntry['handler']);
  const instead = serverInstead(handler);
  const message = `${subject}.handler is ${kindOf(handler)}, expected a function (request, response)`;
  throw invalid(instead === undefined ? message : `${message}: for a server in place of it, ${instead}`, subject, handler);
}

function alreadyListening(what: string, server: Server): string {
  const address = server.address();
  const where = address === null || typeof address === 'string' ? String(address) : `port ${address.port}`;
  return `${what} is already listening on ${where}: remove your .listen(), serve() does it`;
}

function invalid(message: string, subject: string, value: unknown): GraceError {
  return new GraceError('SERVER_INVALID', message, { subject, value });
}
