import { isIPv4 } from 'node:net';
import { type Address, type TcpAddress, formatAddress, sameHost } from '../address/address.js';
import { type InheritedSocket, type Request } from '../address/match.js';
import { GraceError } from '../errors.js';

const IPV4_WILDCARD = '0.0.0.0';

/** Whether the kernel refuses to bind one address while the other is bound: same port, and one host includes the other. */
export function overlap(a: Address, b: Address): boolean {
  if (a.kind !== 'tcp' || b.kind !== 'tcp' || a.port !== b.port || a.port === 0) return false;
  return sameHost(a, b) || includes(a, b) || includes(b, a);
}

/** `::` and no host also serve IPv4, as Node.js binds them; `0.0.0.0` serves IPv4 only. */
function includes({ host }: TcpAddress, other: TcpAddress): boolean {
  if (host === undefined || host === '::') return true;
  return host === IPV4_WILDCARD && isIPv4((other.host ?? '').replace(/^::ffff:/i, ''));
}

/**
 * Refuses two addresses of one call that cannot both be bound.
 *
 * @param requests - those for which a socket has to be bound.
 * @throws GraceError `ADDRESS_IN_USE`
 */
export function refuseOverlaps(requests: readonly Request[]): void {
  for (const [index, { address, resolved }] of requests.entries()) {
    const other = requests.slice(0, index).find((before) => overlap(before.resolved, resolved));
    if (other === undefined) continue;
    const [first, second] = [formatAddress(other.address), formatAddress(address)];
    const reason = 'one of them includes the other; leave one out, or use another port';
    throw new GraceError('ADDRESS_IN_USE', `cannot listen on both ${first} and ${second}: ${reason}`, {
      subject: 'address',
      value: second,
    });
  }
}

/**
 * Refuses an address that start_server did not pass, as long as there are sockets that it passed and that nobody asks
 * for: a worker that binds one itself is in the way of the next worker.
 *
 * @param matches - the passed socket for each request
 * @param left - the passed sockets that match no request
 * @throws GraceError `SOCKET_NOT_PASSED` that lists them
 */
export function refuseUnpassed(requests: readonly Request[], matches: readonly unknown[], left: readonly InheritedSocket[]): void {
  const wrong = left.length === 0 ? undefined : requests.find(({ resolved }, index) => matches[index] === undefined && isFixed(resolved));
  if (wrong === undefined) return;
  const value = formatAddress(wrong.address);
  const passed = left.map(({ fd, bound }) => (bound === undefined ? `fd:${fd}` : formatAddress(bound)));
  const remedy = `write listen: '${passed[0]}' here, or give start_server this address`;
  throw new GraceError('SOCKET_NOT_PASSED', `cannot listen on ${value}: start_server passed ${passed.join(', ')}; ${remedy}`, {
    subject: 'address',
    value,
  });
}

/** Whether two processes cannot both bind it. */
function isFixed(address: Address): boolean {
  return address.kind === 'unix' || (address.kind === 'tcp' && address.port !== 0);
}

/**
 * An error that an address is in use, with what to do if a socket that was passed
 * to this process is what uses it. Any other error is returned as it is.
 *
 * @param request - what could not be bound.
 * @param unclaimed - sockets that were passed and match no request.
 */
export function explainInUse(error: unknown, { resolved }: Request, unclaimed: readonly InheritedSocket[]): unknown {
  if (!(error instanceof GraceError) || error.code !== 'ADDRESS_IN_USE') return error;
  const socket = unclaimed.find(({ bound }) => bound !== undefined && overlap(bound, resolved));
  if (socket?.bound === undefined) return error;
  const { code, subject = 'address', value, cause } = error;
  const message = `cannot listen on ${String(value)}: ${reasonOf(socket, formatAddress(socket.bound))}`;
  return new GraceError(code, message, { subject, value, cause });
}

function reasonOf({ origin, name, asked }: InheritedSocket, bound: string): string {
  if (origin === 'bound') {
    return `the previous process serves ${asked ?? bound}, which includes it; keep that address, or stop the program and start it again`;
  }
  const passed = origin === 'systemd' ? 'systemd' : 'the program that started this one';
  const instead = origin === 'systemd' && name !== undefined ? `systemd:${name}` : bound;
  return `${passed} passed a socket for ${bound}, which no server here asks for; to use it, write listen: '${instead}'`;
}
