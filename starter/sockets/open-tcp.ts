import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { type GraceError } from '../../lib/errors.js';
import { bindHost } from '../../lib/socket/bind.js';
import { fdName } from './descriptors.js';
import { type HeldSocket } from './held-socket.js';
import { openError } from './open-error.js';
import { type Port } from './port.js';

/** Binds a TCP port, which does not listen yet. An IPv6 address does not serve IPv4 too. */
export async function openTcp(port: Port): Promise<HeldSocket> {
  const host = await resolveHost(port);
  try {
    const { fd, address, ...socket } = bindHost(host, port.port, isIPv6(host));
    return {
      label: port.label,
      name: fdName(port.label),
      target: port.fd,
      fd,
      kind: 'stream',
      bound: address,
      close: () => socket.close(),
    };
  } catch (error) {
    throw portError(port, error);
  }
}

/** Looks host names up as IPv4, as Server::Starter does. */
export async function resolveHost(port: Port): Promise<string> {
  if (isIP(port.host) !== 0) return port.host;
  try {
    return (await lookup(port.host, { family: 4 })).address;
  } catch (error) {
    throw portError(port, error);
  }
}

export function portError(port: Port, cause: unknown): GraceError {
  return openError('port', port.label, { kind: 'tcp', host: port.host, port: port.port }, cause);
}
