import { type Server } from 'node:net';
import { type Test } from 'tap';
import { App, type AppOptions } from '../../gracehttp/app.js';
import { type ServerEntry } from '../../gracehttp/entry/server-entry.js';
import { portOf } from './address.js';

/** An App that leaves signals and the process to the test. */
export function makeApp(t: Test, options: AppOptions = {}): App {
  const app = new App({ exit: false, signals: false, log: false, drainTimeout: 10_000, idleTimeout: 100, ...options });
  t.teardown(async () => {
    if (app.state === 'serving' || app.state === 'starting') void app.stop();
    await app.wait();
  });
  return app;
}

/** An App that serves one server on a port of 127.0.0.1. */
export async function serveOn(t: Test, server: Server, options: AppOptions = {}): Promise<{ app: App; port: number }> {
  const app = await makeApp(t, options).serve({ server, listen: '127.0.0.1:0' });
  return { app, port: portOf(app) };
}

/** An App that serves several entries, with shorter timeouts. */
export async function serveHere(t: Test, options: AppOptions, ...entries: (ServerEntry | Server)[]): Promise<App> {
  return makeApp(t, { drainTimeout: 5_000, idleTimeout: 50, ...options }).serve(...(entries as ServerEntry[]));
}
