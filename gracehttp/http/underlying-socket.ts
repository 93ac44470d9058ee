import { type Socket } from 'node:net';
import { type TLSSocket } from 'node:tls';

/**
 * The TCP or unix connection that carries a TLS connection. tls.Server emits
 * both, in 'connection' and 'secureConnection', but links them only by this
 * undocumented property. Undefined if a Node.js version does not have it: then a
 * handshake cannot be told from an idle connection, and both stay until the
 * drain deadline.
 */
export function underlyingSocket(socket: TLSSocket): Socket | undefined {
  return (socket as { readonly _parent?: Socket })._parent;
}
