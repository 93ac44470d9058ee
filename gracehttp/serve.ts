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
 * await serve(
 *   { server: http.createServer(app), listen: ':8080', name: 'public' },
 *   { handler: expressApp, listen: ':8081' },
 *   { server: http.createServer(admin), listen: 'unix:/run/app/admin.sock', mode: 0o660 },
 *   createServer(':9090', handler),
 * );
 */
export async function serve(...servers: readonly Servable[]): Promise<App> {
  return new App().serve(...servers);
}
