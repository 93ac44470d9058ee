import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';
import { text } from 'node:stream/consumers';
import { portOf } from '../address.js';

/** What a client connects to. */
export interface Target {
  readonly port?: number;
  /** Default `127.0.0.1`. */
  readonly host?: string;
  readonly socketPath?: string;
  /** The certificate to trust. With one the client speaks TLS. */
  readonly ca?: string | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  /** The process that answered, as the fixtures say it; NaN if the answer does not. */
  readonly pid: number;
}

/** The target of an address that an app prints: `unix:/path`, `[::]:8080`. */
export function targetOf(address: string, ca?: string): Target {
  return address.startsWith('unix:') ? { socketPath: address.slice('unix:'.length), ca } : { port: portOf(address), host: 'localhost', ca };
}

/** One GET request, on a connection of its own unless an agent is passed. Rejects if the answer is cut off. */
export function get(target: Target, path = '/', options: http.RequestOptions = {}): Promise<Answer> {
  return send(target, { path, ...options });
}

/** The body of the answer to one GET request to an address. */
export async function getBody(address: string, path = '/', ca?: string): Promise<string> {
  return (await get(targetOf(address, ca), path)).body;
}

export function send(target: Target, options: http.RequestOptions, body?: string): Promise<Answer> {
  const request = open(target, { agent: false, ...options });
  const answer = answerTo(request);
  request.end(body);
  return answer;
}

/** A request whose body is left to the caller. */
export function open({ ca, ...target }: Target, options: http.RequestOptions): http.ClientRequest {
  const all = { ...(target.socketPath === undefined ? { host: '127.0.0.1' } : {}), ...target, ...options };
  return ca === undefined ? http.request(all) : https.request({ ca, servername: 'localhost', ...all } as https.RequestOptions);
}

/** The answer to a request. Rejects if it is cut off. */
export function answerTo(request: http.ClientRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request.on('error', reject);
    request.on('response', (response) => {
      const { statusCode: status = NaN, headers } = response;
      text(response).then((body) => resolve({ status, headers, body, pid: Number(headers['x-pid']) }), reject);
    });
  });
}

/** A connection that is left to the test, with TLS if the target has a certificate. */
export function connect({ port, host = '127.0.0.1', socketPath, ca }: Target): net.Socket {
  const where = socketPath === undefined ? { port: port!, host } : { path: socketPath };
  const socket = ca === undefined ? net.connect(where) : tls.connect({ ...where, ca, servername: 'localhost' });
  return socket.on('error', () => undefined);
}

/** All that a connection says until it ends, and the code of the error that ended it. */
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
