import net, { type Server } from 'node:net';
import { GraceError } from '../../../lib/errors.js';

/** What listen() was called with, when Node.js has read its arguments and resolved the host. */
export interface Asked {
  /** A numeric host, or the path of a unix socket; null for all interfaces, and with a descriptor. */
  readonly address: string | null;
  /** Not a number for a unix socket or a descriptor. */
  readonly port: number | undefined;
  readonly backlog: number | undefined;
  readonly fd: number | undefined;
}

/** Calls Node.js's own function; an address or a port given here replaces the one that was asked for. */
export type NativeListen = (address?: string | undefined, port?: number) => void;

/** Decides about a listen(). It calls the native function, or does what that does. */
export type OnListen = (server: Server, listen: NativeListen, asked: Asked) => void;

/** The backlog is false or 0 if listen() got none. */
type Listen2 = (
  this: Server,
  address: string | null,
  port: number | null,
  type: number | null,
  backlog?: number | false,
  fd?: number,
  flags?: number,
) => void;

/** Node.js calls this part of listen() by its name, so that it can be replaced. It is not in the public types. */
interface Replaceable {
  _listen2?: Listen2;
}

/** Whether a server got a socket that another one has opened, as those of node:cluster do. */
function hasHandle(server: Server): boolean {
  return ((server as { readonly _handle?: object | null })._handle ?? undefined) !== undefined;
}

/**
 * Replaces the part of `server.listen()` that binds, for all servers of this process.
 *
 * @throws GraceError `RUNTIME_UNSUPPORTED`
 */
export function interceptListen(onListen: OnListen): void {
  const prototype = net.Server.prototype as Replaceable;
  const native = prototype._listen2;
  if (typeof native !== 'function') {
    throw new GraceError('RUNTIME_UNSUPPORTED', `ts-grace/auto does not work with Node.js ${process.version}: use serve()`, {
      subject: 'process.version',
      value: process.version,
    });
  }
  prototype._listen2 = function listen2(address, port, type, backlog, fd, flags) {
    if (hasHandle(this)) return native.call(this, address, port, type, backlog, fd, flags);
    const isPath = typeof address === 'string' && type === -1;
    const listen: NativeListen = (otherAddress = address ?? undefined, otherPort = port ?? undefined) =>
      native.call(this, otherAddress ?? null, otherPort ?? null, type, backlog, fd, flags);
    onListen(this, listen, {
      address,
      port: isPath || typeof fd === 'number' ? undefined : (port ?? 0),
      backlog: backlog || undefined,
      fd,
    });
  };
}
