import { App, type AppOptions } from './app.js';
import { type Handler, type ServerOptions, createServer } from './create-server.js';

export interface ListenAndServeOptions extends ServerOptions {
  /** Options of the process: signals, drain times, pid file, hooks. */
  readonly app?: AppOptions;
}

/**
 * {@link createServer}, {@link serve} and {@link App.wait} in one call. Resolves
 * when the process has drained, right before it exits.
 *
 * @throws GraceError as these functions do; rejects with the error that made the server stop.
 *
 * @example
 * await listenAndServe(':8080', (request, response) => response.end('hello'));
 */
export async function listenAndServe(
  address: string | number,
  handler: Handler,
  { app: appOptions, ...options }: ListenAndServeOptions = {},
): Promise<void> {
  const server = createServer(address, handler, options);
  const app = await new App(appOptions).serve(server);
  await app.wait();
}
