import { GraceError, show } from '../errors.js';

/** The variables of Server::Starter, see its documentation. */
export const SERVER_STARTER_PORT = 'SERVER_STARTER_PORT';
export const SERVER_STARTER_GENERATION = 'SERVER_STARTER_GENERATION';

/** One socket in `SERVER_STARTER_PORT`. */
export interface StarterSocket {
  /** The text of the option `--port` or `--path`. */
  readonly target: string;
  readonly fd: number;
}

/**
 * Reads `SERVER_STARTER_PORT`: `host:port=fd;path=fd`. The addresses come back
 * as parseAddress() reads them.
 *
 * @throws GraceError `INHERITANCE_INVALID`
 */
export function parseServerStarterPort(value: string): { readonly address: string; readonly fd: number }[] {
  return splitServerStarterPort(value).map(({ target, fd }) => {
    return { address: /^(.*:)?\d+$/.test(target) ? target : `unix:${target}`, fd };
  });
}

/** @throws GraceError `INHERITANCE_INVALID` */
export function splitServerStarterPort(value: string): StarterSocket[] {
  const entries = value.split(';').filter((entry) => entry !== '');
  return entries.map((entry) => {
    const [, target, fd] = /^(.+)=(\d{1,9})$/s.exec(entry) ?? [];
    if (target !== undefined && fd !== undefined) return { target, fd: Number(fd) };
    const message = `${SERVER_STARTER_PORT}=${show(value)}: ${show(entry)} is not host:port=fd or path=fd`;
    throw new GraceError('INHERITANCE_INVALID', message, { subject: SERVER_STARTER_PORT, value });
  });
}
