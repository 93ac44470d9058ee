import { isIPv4, isIPv6 } from 'node:net';
import { GraceError, show } from '../../lib/errors.js';

/** One `--port`. */
export interface Port {
  readonly udp: boolean;
  /** Host name or numeric address. A bare port means all IPv4 interfaces, as in Server::Starter. */
  readonly host: string;
  readonly port: number;
  /** The descriptor of the socket in a worker; undefined: any. */
  readonly fd: number | undefined;
  /** Its name in `SERVER_STARTER_PORT`: `80`, `127.0.0.1:80`, `[::1]:80`. */
  readonly label: string;
}

const MAX_PORT = 65_535;
/** RLIMIT_NOFILE is 1024 by default. */
const MAX_FD = 1_023;
const STDOUT = 1;
const STDERR = 2;
const FORM = /^\s*(?:(?<host>[^\s=]*?)\s*:\s*)?(?<udp>u?)(?<port>\d{1,5})\s*(?:=\s*(?<fd>\d{1,9}))?\s*$/;
const BRACKETS = /^\[(.*)\]$/;
const EXPECTED = 'expected port, host:port or [v6]:port, with u before the port for UDP and =fd after it';

/**
 * Reads `port`, `host:port` or `[v6]:port`, with `u` before the port for UDP and
 * `=fd` after it.
 *
 * @throws GraceError `OPTION_INVALID`
 */
export function parsePort(text: string | number): Port {
  if (typeof text !== 'string' && typeof text !== 'number') throw invalid(text, EXPECTED);
  const groups = FORM.exec(String(text))?.groups;
  if (groups === undefined) throw invalid(text, EXPECTED);
  const port = Number(groups['port']);
  if (port > MAX_PORT) throw invalid(text, `the port is above ${MAX_PORT}`);
  const fd = groups['fd'] === undefined ? undefined : readFd(Number(groups['fd']), text);
  const udp = groups['udp'] === 'u';
  if (groups['host'] === undefined) return { udp, host: '0.0.0.0', port, fd, label: String(port) };
  const host = readHost(groups['host'], text);
  return { udp, host, port, fd, label: `${isIPv6(host) ? `[${host}]` : host}:${port}` };
}

function readHost(text: string, source: string | number): string {
  const inBrackets = BRACKETS.exec(text)?.[1];
  const host = inBrackets ?? text;
  const valid = isIPv4(host) || isIPv6(host) || (inBrackets === undefined && /^[A-Za-z0-9_.-]*[A-Za-z_-][A-Za-z0-9_.-]*$/.test(host));
  if (valid) return host;
  throw invalid(source, `the host is ${show(host)}`);
}

function readFd(fd: number, source: string | number): number {
  if (fd > MAX_FD) throw invalid(source, `the descriptor is above ${MAX_FD}`);
  if (fd === STDOUT || fd === STDERR) throw invalid(source, `descriptor ${fd} is where the server's output goes`);
  return fd;
}

function invalid(value: unknown, reason: string): GraceError {
  const shown = typeof value === 'string' ? value : show(value);
  return new GraceError('OPTION_INVALID', `invalid "port" value:${shown}: ${reason}`, { subject: 'port', value });
}
