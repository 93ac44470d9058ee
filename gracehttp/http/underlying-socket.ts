import { type Socket } from 'node:net';
import { type TLSSocket } from 'node:tls';

/**
 * The TCP or unix connection that carries a TLS connection. tls.Server emits
 * both, in 'connection' and 'secureConnection', but links them only by this
 * undocumented property. Undefined if a Node.js version does not have it, or if the
 * connection is a stream that is not a socket: while such a TLS connection is open,
 * a handshake cannot be told from the connection that carries it.
 */
export function underlyingSocket(socket: TLSSocket): Socket | undefined {
  return (socket as { readonly _parent?: Socket | null })._parent ?? undefined;
}
