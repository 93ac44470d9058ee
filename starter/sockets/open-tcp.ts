import { lookup } from 'node:dns/promises';
import { isIP, isIPv6 } from 'node:net';
import { bindError, bindHost } from '../../lib/socket/bind.js';
import { GraceError } from '../../lib/errors.js';
import { type HeldSocket } from './held-socket.js';
import { fdName } from './descriptors.js';
import { type Port } from './port.js';

/** Binds a TCP port; it is to be made to listen later. An IPv6 one is for IPv6 alone. */
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

/** Host names are looked up in IPv4, as Server::Starter does. */
export async function resolveHost(port: Port): Promise<string> {
  if (isIP(port.host) !== 0) return port.host;
  try {
    return (await lookup(port.host, { family: 4 })).address;
  } catch (error) {
    throw portError(port, error);
  }
}

/** What went wrong with a port, as Server::Starter begins it. */
export function portError(port: Port, cause: unknown): GraceError {
  const { code, message } = bindError({ kind: 'tcp', host: port.host, port: port.port }, cause);
  const reason = message.slice(message.indexOf(': ') + 2);
  return new GraceError(code, `failed to bind to ${port.label}: ${reason}`, { subject: 'port', value: port.label, cause });
}
