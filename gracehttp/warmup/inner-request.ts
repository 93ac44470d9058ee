import { type Server, type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { speaksHttp2 } from '../http/speaks-http.js';
import { innerConnection, markSessions } from './inner-connection.js';
import { MARK } from './mark.js';
import { type WarmupRequest, type WarmupResponse } from './warmup-options.js';

const HOST = 'localhost';

/** The server that gets a request. */
export interface Target {
  readonly server: Server;
  /** Gives the server a connection without TLS, past its limit. */
  deliver(connection: Socket): void;
}

/** Sends one request through the whole server, with the mark of a warm-up. Rejects if there is no response. */
export async function innerRequest({ server, deliver }: Target, request: WarmupRequest, signal: AbortSignal): Promise<WarmupResponse> {
  const overTls = 'setSecureContext' in server;
  const http2 = speaksHttp2(server);
  // A server with TLS gets what it would have after the handshake.
  const connection = innerConnection(overTls ? { alpn: http2 && 'h2' } : undefined);
  const { client } = connection;
  const abort = (): void => void client.destroy(new Error('the warm-up took too long'));
  signal.addEventListener('abort', abort, { once: true });
  try {
    const response = http2 ? requestHttp2(client, overTls, request) : requestHttp1(client, request);
    markSessions(server, () => {
      if (overTls) server.emit('secureConnection', connection.server);
      else deliver(connection.server);
    });
    return await response;
  } finally {
    signal.removeEventListener('abort', abort);
    client.destroy();
    connection.server.destroy();
  }
}

function requestHttp1(client: Duplex, { path, method = 'GET', headers, body }: WarmupRequest): Promise<WarmupResponse> {
  const { request } = process.getBuiltinModule('node:http');
  return new Promise((resolve, reject) => {
    const sent = request({
      ...{ path, method, host: HOST },
      headers: { ...headers, [MARK]: '1' },
      createConnection: () => client,
    });
    sent.once('error', reject);
    sent.once('response', (response) => {
      readAll(response).then((bytes) => resolve({ status: response.statusCode!, headers: response.headers, body: bytes }), reject);
    });
    sent.end(body);
  });
}

function requestHttp2(client: Duplex, overTls: boolean, { path, method = 'GET', headers, body }: WarmupRequest): Promise<WarmupResponse> {
  const { connect } = process.getBuiltinModule('node:http2');
  const session = connect(`${overTls ? 'https' : 'http'}://${HOST}`, { createConnection: () => client });
  const response = new Promise<WarmupResponse>((resolve, reject) => {
    session.once('error', reject);
    const stream = session.request({ ...headers, ':path': path, ':method': method, [MARK]: '1' }, { endStream: body === undefined });
    stream.once('error', reject);
    stream.once('response', (found) => {
      readAll(stream).then((bytes) => resolve({ status: found[':status']!, headers: found, body: bytes }), reject);
    });
    if (body !== undefined) stream.end(body);
  });
  return response.finally(() => session.destroy());
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(piece);
  return Buffer.concat(pieces);
}
