import net from 'node:net';
import { type BindableAddress, type TcpAddress, formatAddress } from '../address/address.js';
import { GraceError, errnoCode, messageOf } from '../errors.js';
import { holderOf } from './holder.js';

/** A socket that has its address and does not listen yet. `net.Server` can listen on `target`. */
export interface BoundSocket {
  readonly target: object;
  readonly fd: number;
  readonly address: BindableAddress;
  close(): void;
}

/** `net.BoundSocket`, public since Node 24.19 and 26.4. */
interface PublicBoundSocket {
  address(): net.AddressInfo | string;
  fd(): number;
  close(): void;
}

/** The handle behind a `net.Server`. */
interface InternalHandle {
  readonly fd: number;
  getsockname?(into: object): number;
  close(): void;
}

/** How `node:net` binds without listening; neither way is in the types of the oldest Node.js. */
interface Binders {
  readonly BoundSocket?: new (options: { host: string; port: number; ipv6Only: boolean } | { path: string }) => PublicBoundSocket;
  readonly _createServerHandle?: (
    address: string,
    port: number,
    type: 4 | 6 | -1,
    fd?: undefined,
    flags?: number,
  ) => InternalHandle | number;
}
const binders = net as unknown as Binders;

/** libuv's uv_tcp_flags. */
const UV_TCP_IPV6ONLY = 1;

/** Every interface: first IPv6, which serves IPv4 as well, then IPv4 for a kernel without IPv6; as Node.js does. */
const WILDCARDS = ['::', '0.0.0.0'] as const;

/** @throws GraceError `ADDRESS_*` */
export async function bindTcp(address: TcpAddress): Promise<BoundSocket> {
  const hosts = address.host === undefined ? WILDCARDS : [await resolveHost(address, address.host)];
  let failure: unknown;
  for (const host of hosts) {
    try {
      return bindHost(host, address.port);
    } catch (error) {
      failure = error;
    }
  }
  throw bindError(address, failure);
}

/** The numeric form of a host name; a numeric host is returned as it is. */
export async function resolveHost(address: TcpAddress, host: string): Promise<string> {
  if (net.isIP(host) !== 0) return host;
  try {
    // Loaded only for a host name, because it makes the start of a successor slower.
    const { lookup } = process.getBuiltinModule('node:dns/promises');
    return (await lookup(host)).address;
  } catch (error) {
    throw bindError(address, error);
  }
}

/**
 * Binds a unix socket at `path`. libuv unlinks this path when it closes the
 * socket; a file that has to stay must be renamed before.
 */
export function bindPath(path: string): BoundSocket {
  return bindEndpoint({ kind: 'unix', path });
}

/** Binds one numeric host. `ipv6Only`: an IPv6 socket does not serve IPv4. Throws the system's error. */
export function bindHost(host: string, port: number, ipv6Only = false): BoundSocket {
  return bindEndpoint({ kind: 'tcp', host, port }, ipv6Only);
}

/**
 * Binds without listening, so that several servers have their addresses before
 * the first of them accepts. Older versions of Node.js have nothing public for
 * this; there, the function that net.Server itself binds with is used.
 */
function bindEndpoint(address: BindableAddress, ipv6Only = false): BoundSocket {
  if (binders.BoundSocket !== undefined) {
    const socket = new binders.BoundSocket(
      address.kind === 'unix' ? { path: address.path } : { host: address.host ?? '::', port: address.port, ipv6Only },
    );
    const close = (): void => closeUnlessAdopted(socket);
    return { target: socket, fd: socket.fd(), address: readAddress(socket.address(), address), close };
  }
  const create = binders._createServerHandle;
  if (typeof create === 'function') return bindHandle(address, create, ipv6Only ? UV_TCP_IPV6ONLY : 0);
  throw new GraceError('RUNTIME_UNSUPPORTED', `Node.js ${process.version} cannot bind without listening`, {
    subject: 'process.version',
    value: process.version,
  });
}

/** A server that tried to listen on the socket owns it, and has closed it if listen(2) failed. */
function closeUnlessAdopted(socket: PublicBoundSocket): void {
  try {
    socket.close();
  } catch (error) {
    if (errnoCode(error) !== 'ERR_SOCKET_HANDLE_ADOPTED') throw error;
  }
}

function bindHandle(address: BindableAddress, create: NonNullable<Binders['_createServerHandle']>, flags: number): BoundSocket {
  const handle =
    address.kind === 'unix'
      ? create(address.path, -1, -1)
      : create(address.host ?? '::', address.port, net.isIPv4(address.host ?? '::') ? 4 : 6, undefined, flags);
  if (typeof handle === 'number') throw systemError(handle);
  const name = {};
  const failed = handle.getsockname?.(name) ?? 0;
  if (failed < 0) {
    handle.close();
    throw systemError(failed);
  }
  return {
    target: handle,
    fd: handle.fd,
    address: readAddress(name as net.AddressInfo, address),
    close: () => handle.close(),
  };
}

function readAddress(name: net.AddressInfo | string, asked: BindableAddress): BindableAddress {
  return typeof name === 'string' || asked.kind === 'unix' ? asked : { kind: 'tcp', host: name.address, port: name.port };
}

function systemError(errno: number): Error {
  const code = process.getBuiltinModule('node:util').getSystemErrorName(errno);
  return Object.assign(new Error(`bind ${code}`), { code, errno, syscall: 'bind' });
}

/** A listen error of a socket that was passed to this process. */
export function inheritedError(fd: number, asked: string, cause: unknown): GraceError {
  if (cause instanceof GraceError) return cause;
  const message = `cannot listen on the inherited descriptor ${fd} for ${asked}: ${messageOf(cause)}`;
  return new GraceError('INHERITANCE_INVALID', message, { subject: 'fd', value: fd, cause });
}

/** A bind or listen error as a GraceError that names the address. */
export function bindError(address: BindableAddress, cause: unknown): GraceError {
  if (cause instanceof GraceError) return cause;
  const value = formatAddress(address);
  const facts = { subject: 'address', value, cause };
  const code = errnoCode(cause);
  const failed = `cannot listen on ${value}`;
  switch (code) {
    case 'EADDRINUSE':
      return new GraceError('ADDRESS_IN_USE', `${failed}: ${holderOf(address) ?? 'something else'} listens there (${code})`, facts);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new GraceError('ADDRESS_FORBIDDEN', `${failed}: this user is not allowed to bind it (${code})`, facts);
    case 'EADDRNOTAVAIL':
      return new GraceError('ADDRESS_NOT_AVAILABLE', `${failed}: this machine has no such address (${code})`, facts);
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new GraceError('ADDRESS_NOT_AVAILABLE', `${failed}: the host name does not resolve (${code})`, facts);
    default:
      return new GraceError('ADDRESS_INVALID', `${failed}: ${cause instanceof Error ? cause.message : code}`, facts);
  }
}
