import { GraceError } from '../lib/errors.js';
import { takenVariable } from '../lib/inherit/environment.js';
import { SERVER_STARTER_PORT, splitServerStarterPort } from '../lib/inherit/server-starter.js';

/**
 * In a worker: the descriptor to accept on for each `--port` and `--path`, by the
 * text of the option. This is Server::Starter's `server_ports`.
 *
 * @throws GraceError `SOCKET_NOT_PASSED` if start_server did not start this process,
 * `INHERITANCE_INVALID` if the variable is not what start_server writes.
 *
 * @example
 * import http from 'node:http';
 * import { serverPorts } from 'ts-grace/starter';
 *
 * const server = http.createServer((request, response) => response.end('hello\n'));
 * server.listen({ fd: serverPorts()['127.0.0.1:8080'] });
 * process.on('SIGTERM', () => server.close());
 */
export function serverPorts(): Record<string, number> {
  const value = process.env[SERVER_STARTER_PORT] ?? takenVariable(SERVER_STARTER_PORT);
  if (value === undefined) {
    throw new GraceError(
      'SOCKET_NOT_PASSED',
      `no environment variable ${SERVER_STARTER_PORT}. Did you start the process using start_server?`,
      { subject: SERVER_STARTER_PORT },
    );
  }
  return Object.fromEntries(splitServerStarterPort(value).map(({ target, fd }) => [target, fd]));
}
