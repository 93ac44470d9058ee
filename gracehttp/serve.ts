import { atCall } from '../lib/at-call.js';
import { App } from './app.js';
import { type Servable } from './entry/server-entry.js';

/**
 * Serves several servers in one process, as go.grace's `gracehttp.Serve` does.
 * Short for `new App().serve(...servers)`.
 *
 * @returns the app, when every server accepts connections.
 * @throws GraceError as {@link App.serve} does.
 *
 * @example
 * import http from 'node:http';
 * import { createServer, serve } from 'ts-grace/gracehttp';
 *
 * const handler: http.RequestListener = (request, response) => response.end('hello\n');
 * const app = await serve(
 *   { server: http.createServer(handler), listen: ':8080', name: 'public' },
 *   { handler, listen: 'unix:admin.sock', mode: 0o660 },
 *   createServer('127.0.0.1:9000', handler),
 * );
 * console.log(app.servers.length); // 3
 */
export async function serve(...servers: readonly Servable[]): Promise<App> {
  try {
    return await new App().serve(...servers);
  } catch (error) {
    throw atCall(error, serve);
  }
}
