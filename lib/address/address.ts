import net, { isIP, isIPv6 } from 'node:net';
import { GraceError, show } from '../errors.js';

/** A TCP address; `host: undefined` means every interface, IPv6 and IPv4. */
export interface TcpAddress {
  readonly kind: 'tcp';
  readonly host: string | undefined;
  readonly port: number;
}

/** A unix socket. The path of an abstract one (Linux) begins with a NUL byte. */
export interface UnixAddress {
  readonly kind: 'unix';
  readonly path: string;
}

/** A socket that systemd passed under a name, and the address to bind if systemd passed no sockets. */
export interface SystemdAddress {
  readonly kind: 'systemd';
  readonly name: string;
  readonly otherwise: TcpAddress | UnixAddress | undefined;
}

/** A descriptor that this process was started with. */
export interface FdAddress {
  readonly kind: 'fd';
  readonly fd: number;
}

/** An address that can be bound; the others have to be passed to the process. */
export type BindableAddress = TcpAddress | UnixAddress;
/** Where a server listens, as {@link parseAddress} reads it. */
export type Address = BindableAddress | SystemdAddress | FdAddress;

const MAX_PORT = 65_535;
const MAX_FD = 0x7fff_ffff;
const HOSTNAME = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9_-]{1,63}(?<!-))*\.?$/;
const ZONE_ID = /%[\w.-]+$/;
const FORMS = ':8080, 8080, host:8080, [::1]:8080, unix:/path, unix:@abstract, systemd:name or fd:3';

/**
 * Reads an address.
 *
 * | text | meaning |
 * | --- | --- |
 * | `:8080`, `8080` | port 8080 of every interface |
 * | `host:port`, `[v6]:port` | one interface; port 0 lets the kernel choose |
 * | `unix:/path`, `unix:@name` | a unix socket by path, or in Linux's abstract namespace |
 * | `systemd:name` | the socket with that `FileDescriptorName=` |
 * | `systemd:name\|:8080` | the same, or `:8080` if systemd passed no sockets |
 * | `fd:3` | a descriptor that this process was started with |
 *
 * @throws GraceError `ADDRESS_INVALID`
 *
 * @example
 * import { parseAddress } from 'ts-grace';
 *
 * console.log(parseAddress('[::1]:8080').kind); // tcp
 */
export function parseAddress(text: string | number): Address {
  if (typeof text !== 'string' && typeof text !== 'number') throw invalid(text, 'it is not text');
  const source = String(text);
  if (source.startsWith('systemd:')) return parseSystemd(source);
  if (source.startsWith('fd:')) return { kind: 'fd', fd: parseNumber(source.slice(3), 0, MAX_FD, source) };
  return parseBindable(source, source);
}

/** Reads `text`, which is `source` or a part of it. */
function parseBindable(text: string, source: string): BindableAddress {
  if (text.startsWith('unix:')) return parseUnix(text, source);
  if (text.startsWith('[')) checkBrackets(text, source);
  const colon = text.lastIndexOf(':');
  if (colon < 0) checkPortAlone(text, source);
  const port = parseNumber(text.slice(colon + 1), 0, MAX_PORT, source);
  return { kind: 'tcp', host: colon > 0 ? parseHost(text.slice(0, colon), source) : undefined, port };
}

/** A host in brackets is followed by a colon and a port. */
function checkBrackets(text: string, source: string): void {
  const [, inside, behind] = /^\[([^\]]*)\](.*)$/s.exec(text) ?? [];
  if (behind === undefined) throw invalid(source, 'the bracket [ has no ] after the host, as in [::1]:8080');
  if (behind.startsWith(':')) return;
  const port = /^\d+$/.test(behind) ? behind : '8080';
  throw invalid(source, `after the bracket ] there must be a colon and a port, as in [${inside}]:${port}`);
}

function checkPortAlone(text: string, source: string): void {
  if (text.includes('/')) throw invalid(source, `write unix:${text} for the path of a unix socket`);
  if (HOSTNAME.test(text) && !/^\d+$/.test(text)) throw invalid(source, `the port is missing, as in ${text}:8080`);
}

function parseHost(text: string, source: string): string {
  const bracketed = /^\[(.*)\]$/.exec(text)?.[1];
  if (bracketed !== undefined && isIPv6(bracketed.replace(ZONE_ID, ''))) return bracketed;
  const looksNumeric = /^[\d.]+$/.test(text);
  if (bracketed === undefined && (isIP(text) === 4 || (!looksNumeric && HOSTNAME.test(text)))) return text;
  throw invalid(source, hostAdvice(text, source));
}

function hostAdvice(text: string, source: string): string {
  if (text.includes('://')) return `leave out ${text.slice(0, text.indexOf('://') + '://'.length)}`;
  if (isIPv6(text)) return `write the IPv6 host in brackets: [${text}]`;
  if (isIPv6(source)) return `write the IPv6 host in brackets, and a port: [${source}]:8080`;
  return `the host is ${show(text)}`;
}

function parseUnix(text: string, source: string): UnixAddress {
  const path = text.slice('unix:'.length);
  if (path === '' || path === '@') throw invalid(source, 'the path is empty');
  if (path.includes('\0')) throw invalid(source, 'the path has a NUL byte');
  return { kind: 'unix', path: path.startsWith('@') ? `\0${path.slice(1)}` : path };
}

function parseSystemd(source: string): SystemdAddress {
  const [name = '', ...rest] = source.slice('systemd:'.length).split('|');
  // The characters that systemd.socket(5) allows in FileDescriptorName=.
  if (!/^[\x20-\x39\x3b-\x7e]{1,255}$/.test(name)) throw invalid(source, 'the name is empty or has a colon');
  if (rest.length === 0) return { kind: 'systemd', name, otherwise: undefined };
  const otherwise = rest.join('|');
  if (/^(fd|systemd):/.test(otherwise)) throw invalid(source, 'the part after the | is not an address that can be bound');
  return { kind: 'systemd', name, otherwise: parseBindable(otherwise, source) };
}

function parseNumber(text: string, min: number, max: number, source: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw invalid(source, `${show(text)} is not a number from ${min} to ${max}`);
}

function invalid(source: unknown, reason: string): GraceError {
  return new GraceError('ADDRESS_INVALID', `cannot read the address ${show(source)}: ${reason}; expected ${FORMS}`, {
    subject: 'address',
    value: source,
  });
}

/**
 * The inverse of {@link parseAddress}: equal addresses have equal texts.
 *
 * @example
 * import { formatAddress, parseAddress } from 'ts-grace';
 *
 * console.log(formatAddress(parseAddress(8080))); // :8080
 */
export function formatAddress(address: Address): string {
  switch (address.kind) {
    case 'tcp':
      return `${formatHost(address.host)}:${address.port}`;
    case 'unix':
      return `unix:${address.path.replace(/^\0/, '@')}`;
    case 'systemd':
      return `systemd:${address.name}${address.otherwise ? `|${formatAddress(address.otherwise)}` : ''}`;
    case 'fd':
      return `fd:${address.fd}`;
  }
}

function formatHost(host: string | undefined): string {
  if (host === undefined) return '';
  return host.includes(':') ? `[${host}]` : host;
}

/** Whether a socket bound to one address serves the other; `0.0.0.0`, `[::]` and no host count as equal. */
export function sameAddress(a: Address, b: Address): boolean {
  if (a.kind === 'tcp' && b.kind === 'tcp') {
    return a.port === b.port && sameHost(a, b);
  }
  return formatAddress(a) === formatAddress(b);
}

export function sameHost(a: TcpAddress, b: TcpAddress): boolean {
  return plainHost(a) === plainHost(b);
}

/** Whether the address stands for every interface of the machine. */
export function isWildcard(address: TcpAddress): boolean {
  return plainHost(address) === '*';
}

function plainHost({ host }: TcpAddress): string {
  if (host === undefined) return '*';
  const plain = canonicalHost(host);
  return plain === '0.0.0.0' || plain === '::' ? '*' : plain.replace(/^::ffff:(?=\d+\.)/, '');
}

/** An IPv6 address as inet_ntop(3) writes it, which has no text for a zone. Other hosts in lower case. */
export function canonicalHost(host: string): string {
  const canBeWrittenAnew = isIPv6(host) && !host.includes('%');
  return canBeWrittenAnew ? new net.SocketAddress({ address: host, family: 'ipv6' }).address : host.toLowerCase();
}
