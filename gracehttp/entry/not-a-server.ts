import { Server } from 'node:net';

/** What some frameworks' apps have, and where the server or the handler is in them. */
interface FrameworkApp {
  readonly server?: unknown;
  readonly getHttpServer?: unknown;
  readonly callback?: unknown;
  readonly fetch?: unknown;
}

/**
 * What to write instead of something that is not a server, if it can be guessed.
 *
 * @param value - what stands where a server is expected.
 */
export function serverInstead(value: unknown): string | undefined {
  if (typeof value === 'function') return 'use http.createServer(app), or { handler: app, listen }';
  if (typeof value !== 'object' || value === null) return undefined;
  const { server, getHttpServer, callback, fetch } = value as FrameworkApp;
  // Fastify, NestJS, Koa; Hono and others that answer with the Response of the fetch standard.
  if (server instanceof Server) return 'use app.server';
  if (typeof getHttpServer === 'function') return 'use app.getHttpServer(), after app.init()';
  if (typeof callback === 'function') return 'use http.createServer(app.callback()), or { handler: app.callback(), listen }';
  if (typeof fetch === 'function') return 'use createAdaptorServer(app) of @hono/node-server';
  return undefined;
}

/** A value for a message: what kind of thing it is, never its contents. */
export function kindOf(value: unknown): string {
  if (typeof value === 'function') return value.name === '' ? 'a function' : `the function ${value.name}`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? String(value);
  const { name } = (value.constructor ?? {}) as { readonly name?: unknown };
  if (Array.isArray(value)) return 'an array';
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an object of class ${name}` : 'an object';
}
