import { atCall } from '../lib/at-call.js';
import { refuseUnknown } from '../lib/check/names.js';
import { App, type AppOptions } from './app.js';
import { type Handler, createServer } from './create-server.js';
import { IN_APP_OF_LISTEN_AND_SERVE, SERVER_OPTIONS } from './entry/option-names.js';
import { type ServerOptions } from './entry/server-options.js';

/** Options of {@link listenAndServe}: those of {@link createServer}, and those of the process. */
export interface ListenAndServeOptions extends ServerOptions {
  /** Options of the process: signals, drain times, pid file, hooks. Default: those of {@link AppOptions}. */
  readonly app?: AppOptions;
}

/**
 * {@link createServer}, {@link serve} and {@link App.wait} in one call. Resolves
 * when the process has drained, right before it exits.
 *
 * @throws GraceError as these functions do; rejects with the error that made the server stop.
 *
 * @example
 * import { listenAndServe } from 'ts-grace/gracehttp';
 *
 * await listenAndServe(':8080', (request, response) => response.end('hello\n'), { app: { drainTimeout: 10_000 } });
 * console.log('drained'); // drained
 */
export async function listenAndServe(address: string | number, handler: Handler, options: ListenAndServeOptions = {}): Promise<void> {
  try {
    const app = await start(address, handler, options);
    await app.wait();
  } catch (error) {
    throw atCall(error, listenAndServe);
  }
}

async function start(address: string | number, handler: Handler, options: ListenAndServeOptions): Promise<App> {
  refuseUnknown({ options, where: 'listenAndServe()', names: [...SERVER_OPTIONS, 'app'] }, [IN_APP_OF_LISTEN_AND_SERVE]);
  const { app: appOptions, ...serverOptions } = options;
  const server = createServer(address, handler, serverOptions);
  return new App(appOptions).serve(server);
}
