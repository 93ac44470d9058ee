import { type Server } from 'node:net';
import { App } from './app.js';
import { type ServerEntry } from './server-entry.js';

/**
 * Serves several servers in one process, as go.grace's `gracehttp.Serve` does.
 * Short for `new App().serve(...servers)`.
 *
 * @returns the app, when every server accepts connections.
 * @throws GraceError as {@link App.serve} does.
 *
 * @example
 * await serve(
 *   { server: http.createServer(app), listen: ':8080', name: 'public' },
 *   { server: http.createServer(admin), listen: 'unix:/run/app/admin.sock', mode: 0o660 },
 *   createServer(':9090', handler),
 * );
 */
export async function serve(...servers: readonly (ServerEntry | Server)[]): Promise<App> {
  return new App().serve(...servers);
}
