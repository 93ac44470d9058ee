import { type Server } from 'node:net';

/** Whether a server speaks HTTP/1 or HTTP/2. Asked by property: `instanceof` would load TLS for servers without it. */
export function speaksHttp(server: Server): boolean {
  return 'keepAliveTimeout' in server || speaksHttp2(server);
}

/** Whether a server speaks HTTP/2, without loading `node:http2`. */
export function speaksHttp2(server: Server): boolean {
  return 'updateSettings' in server;
}

/** Whether a server speaks HTTP without TLS, so that a response can be written before anything was read. */
export function speaksPlainHttp(server: Server): boolean {
  return speaksHttp(server) && !('setSecureContext' in server);
}
