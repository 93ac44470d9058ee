import http from 'node:http';
import { type Test } from 'tap';
import { type App } from '../../../gracehttp/app.js';
import { createServer } from '../../../gracehttp/create-server.js';
import { type HealthOptions, health } from '../../../gracehttp/health/health.js';
import { portOf } from '../address.js';
import { makeApp } from '../app.js';
import { type Answer, type Target } from './client.js';

/** An app, and how to reach its two servers. */
export interface Administered {
  readonly app: App;
  /** The server that health() answers on. */
  readonly admin: Target;
  /** The server `public`, which answers after `?ms=`. */
  readonly target: Target;
}

/** Serves `public` with a limit of 3 connections, and `admin` on the address `listen`. */
export async function administered(t: Test, options: HealthOptions = {}, listen = '127.0.0.1:0'): Promise<Administered> {
  const app = makeApp(t, { idleTimeout: 50, drainTimeout: 5_000 });
  const slow = http.createServer((request, response) => {
    setTimeout(() => response.end('served'), Number(new URL(request.url!, 'http://x').searchParams.get('ms')));
  });
  await app.serve(
    { server: slow, listen: '127.0.0.1:0', name: 'public', maxConnections: 3 },
    createServer(listen, health(app, options), { name: 'admin' }),
  );
  const admin = listen.startsWith('unix:') ? { socketPath: listen.slice('unix:'.length) } : { port: portOf(app, 1) };
  return { app, admin, target: { port: portOf(app) } };
}

/** The body of an answer, read as JSON. */
export function json(answer: Answer): Record<string, unknown> {
  return JSON.parse(answer.body) as Record<string, unknown>;
}
