import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { text } from 'node:stream/consumers';

/** Where a client connects to. */
export interface Target {
  readonly port?: number;
  readonly socketPath?: string;
  /** The certificate to trust; TLS where it is there. */
  readonly ca?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** One request by GET, on a connection of its own where no agent is passed. Rejects where the answer is not whole. */
export function get(target: Target, path = '/', options: http.RequestOptions = {}): Promise<Answer> {
  return send(target, { path, ...options });
}

export function send(target: Target, options: http.RequestOptions, body?: string): Promise<Answer> {
  const { port, socketPath, ca } = target;
  const where = socketPath === undefined ? { port, host: '127.0.0.1' } : { socketPath };
  return new Promise((resolve, reject) => {
    const onResponse = (response: http.IncomingMessage): void => {
      text(response).then((body) => resolve({ status: response.statusCode!, headers: response.headers, body }), reject);
    };
    const all = { agent: false, ...where, ...options } as const;
    const request =
      ca === undefined
        ? http.request(all, onResponse)
        : https.request({ ...all, ca, servername: 'localhost' } as https.RequestOptions, onResponse);
    request.on('error', reject).end(body);
  });
}

/** A connection that is left to the test; TLS where the target has a certificate. */
export function connect({ port, socketPath, ca }: Target): net.Socket {
  const where = socketPath === undefined ? { port: port!, host: '127.0.0.1' } : { path: socketPath };
  const socket = ca === undefined ? net.connect(where) : tls.connect({ ...where, ca, servername: 'localhost' });
  return socket.on('error', () => undefined);
}

/** All that a connection says until it ends, and the error that it ended with. */
export function listenTo(socket: net.Socket): Promise<{ readonly said: string; readonly code: string | undefined }> {
  return new Promise((resolve) => {
    let said = '';
    let code: string | undefined;
    socket.setEncoding('utf8').on('data', (data: string) => {
      said += data;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    socket.on('close', () => resolve({ said, code }));
  });
}
