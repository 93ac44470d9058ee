import { type Socket } from 'node:net';
import { type TLSSocket } from 'node:tls';

/**
 * The TCP or unix connection below a TLS one. tls.Server tells of both, in
 * 'connection' and 'secureConnection', and of their relation only by this
 * property. Undefined where a Node.js does not have it; then a handshake cannot
 * be told from a connection that has made it, and is left to the deadline.
 */
export function connectionBelow(socket: TLSSocket): Socket | undefined {
  return (socket as { readonly _parent?: Socket })._parent;
}
