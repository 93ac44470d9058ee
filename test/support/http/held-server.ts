import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Test } from 'tap';
import { type App, type AppOptions } from '../../../gracehttp/app.js';
import { serveOn } from '../app.js';
import { type RawClient, rawClient } from './raw-client.js';
import { waitUntil } from '../wait.js';

/** A request on the wire. */
export const GET = (path = '/'): string => `GET ${path} HTTP/1.1\r\nHost: h\r\n\r\n`;

/** A server whose requests wait until the test answers them. */
export class HeldServer {
  readonly pending: { readonly request: IncomingMessage; readonly response: ServerResponse }[] = [];
  /** Without a keep-alive time, which a drain would wait for. */
  readonly server = http.createServer({ keepAliveTimeout: 0 }, (request, response) => this.pending.push({ request, response }));

  async received(count: number): Promise<void> {
    await waitUntil(`${count} requests`, () => this.pending.length >= count);
  }

  response(index: number): ServerResponse {
    return this.pending[index]!.response;
  }
}

/** A held server that an app serves, and a client that is connected to it. */
export async function held(t: Test, options: AppOptions = {}): Promise<{ held: HeldServer; app: App; client: RawClient; port: number }> {
  const server = new HeldServer();
  const { app, port } = await serveOn(t, server.server, options);
  return { held: server, app, port, client: await rawClient(t, port) };
}

/** Begins to drain. Resolves when nobody can connect any longer. */
export async function drain(app: App): Promise<void> {
  void app.stop();
  await waitUntil('the end of accepting', () => app.servers.every(({ listener }) => !listener.listening));
}

/** The `Connection` header of each answer. */
export const connectionHeaders = (client: RawClient): (string | undefined)[] => client.answers.map(({ headers }) => headers['connection']);
