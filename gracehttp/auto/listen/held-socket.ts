import net, { type Server } from 'node:net';
import { GraceError } from '../../../lib/errors.js';

/** What `net.Server` has of its socket. Not in the public types. */
export interface ServerHandle {
  readonly fd: number;
  listen(backlog: number): number;
  fchmod?: (mode: number) => number;
}
interface HasHandle {
  _handle?: ServerHandle | null;
}
interface HandleFactory {
  readonly _createServerHandle?: (address: null, port: null, type: null, fd: number) => ServerHandle | number;
}

/** The handle of a server that listens. */
export function handleOfServer(server: Server): ServerHandle | undefined {
  return (server as HasHandle)._handle ?? undefined;
}

/**
 * Gives a server an inherited socket, on which it listens for the program, but
 * accepts nothing: until this process is ready, what it accepted could be lost. listen() of Node.js then finds the socket there.
 *
 * @returns a function that makes the server accept.
 * @throws GraceError `INHERITANCE_INVALID`
 */
export function holdSocket(server: Server, fd: number, backlog: number): () => void {
  const create = (net as HandleFactory)._createServerHandle;
  const handle = typeof create === 'function' ? create(null, null, null, fd) : -1;
  if (typeof handle === 'number') throw cannotListen(fd, `error ${handle}`);
  const nothing = (): number => 0;
  handle.listen = nothing;
  // For the file of a unix socket, which has its mode already.
  if (handle.fchmod !== undefined) handle.fchmod = nothing;
  (server as HasHandle)._handle = handle;
  return () => {
    // The program has closed it again, or it accepts already.
    if (handleOfServer(server) !== handle || handle.listen !== nothing) return;
    Reflect.deleteProperty(handle, 'listen');
    const failed = handle.listen(backlog);
    if (failed !== 0) throw cannotListen(fd, process.getBuiltinModule('node:util').getSystemErrorName(failed));
  };
}

function cannotListen(fd: number, why: string): GraceError {
  return new GraceError('INHERITANCE_INVALID', `cannot listen on the inherited descriptor ${fd}: ${why}`, { subject: 'fd', value: fd });
}
