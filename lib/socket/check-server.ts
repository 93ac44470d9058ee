import net from 'node:net';
import { GraceError, show } from '../errors.js';

/**
 * @param asked - the address that the server is for.
 * @throws GraceError `SERVER_INVALID` if it is no server, or listens already.
 */
export function checkServer(server: net.Server, asked: string, mayListen: boolean): void {
  if (!(server instanceof net.Server)) {
    const message = `the server for ${asked} is ${show(server)}, expected one of net.createServer(), http.createServer() or the like`;
    throw new GraceError('SERVER_INVALID', message, { subject: 'server', value: server });
  }
  if (server.listening && !mayListen) {
    throw new GraceError('SERVER_INVALID', `the server for ${asked} is already listening`, { subject: 'server' });
  }
}
