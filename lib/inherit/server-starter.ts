import { GraceError, show } from '../errors.js';

/** The variables of Server::Starter, see its documentation. */
export const SERVER_STARTER_PORT = 'SERVER_STARTER_PORT';
export const SERVER_STARTER_GENERATION = 'SERVER_STARTER_GENERATION';

/**
 * Reads `SERVER_STARTER_PORT`: `host:port=fd;path=fd`. The addresses come back
 * as parseAddress() reads them.
 *
 * @throws GraceError `INHERITANCE_INVALID`
 */
export function parseServerStarterPort(value: string): { readonly address: string; readonly fd: number }[] {
  return value
    .split(';')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [, target, fd] = /^(.+)=(\d{1,9})$/.exec(entry) ?? [];
      if (target === undefined || fd === undefined) {
        throw new GraceError(
          'INHERITANCE_INVALID',
          `${SERVER_STARTER_PORT}=${show(value)}: ${show(entry)} is not host:port=fd or path=fd`,
          { subject: SERVER_STARTER_PORT, value },
        );
      }
      return { address: /^(.*:)?\d+$/.test(target) ? target : `unix:${target}`, fd: Number(fd) };
    });
}
