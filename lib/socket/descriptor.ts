import { readFileSync, readlinkSync } from 'node:fs';
import { type BindableAddress, canonicalHost } from '../address/address.js';
import { isSocket } from '../check/file-type.js';
import { errnoCode } from '../errors.js';

/** What kind of file a passed descriptor is. */
export interface Descriptor {
  readonly kind: 'closed' | 'not a socket' | 'listener' | 'connected socket' | 'datagram socket' | 'unknown socket';
  /** The address that a listener or a UDP socket is bound to, if the kernel tells. */
  readonly address?: BindableAddress;
}

/**
 * Finds out what a descriptor is, without touching it. A socket handle of Node.js
 * would close the descriptor on failure, and if it is one of the runtime's own,
 * the process aborts at exit.
 *
 * `unknown socket`: there is no `/proc`, the socket is of another network
 * namespace, or it is bound and does not listen yet.
 *
 * @param closely - false: only find out whether it is a socket. That is one system
 * call; the kernel's socket tables grow with the connections of the machine.
 */
export function describeDescriptor(fd: number, closely = true): Descriptor {
  try {
    if (!isSocket(fd)) return { kind: 'not a socket' };
  } catch (error) {
    return { kind: errnoCode(error) === 'EBADF' ? 'closed' : 'not a socket' };
  }
  if (!closely) return { kind: 'unknown socket' };
  const inode = readLink(`/proc/self/fd/${fd}`).match(/^socket:\[(\d+)\]$/)?.[1];
  if (inode === undefined) return { kind: 'unknown socket' };
  for (const look of [lookAtTcp, lookAtUnix, lookAtUdp]) {
    const found = look(inode);
    if (found !== undefined) return found;
  }
  return { kind: 'unknown socket' };
}

/** The inodes of the listening sockets of this network namespace whose address fits, as far as the kernel tells. */
export function findListeners(fits: (address: BindableAddress) => boolean): string[] {
  const tcp = ['tcp', 'tcp6'].flatMap(rows).filter((columns) => columns[3] === TCP_LISTEN);
  const found = [
    ...tcp.map(([, local = '', , , , , , , , inode]) => ({ inode, address: readInternetAddress(local) })),
    ...rows('unix')
      .filter(isUnixListener)
      .map((columns) => ({ inode: columns[6], address: readUnixAddress(columns) })),
  ];
  return found.flatMap(({ inode, address }) => (inode !== undefined && fits(address) ? [inode] : []));
}

/* The tables of /proc/net, see proc(5) and the kernel's Documentation/networking/proc_net_tcp.rst. */
const TCP_LISTEN = '0A';
const UNIX_FLAG_LISTENING = 0x1_0000;
const UNIX_STATE_CONNECTED = '03';
const UNIX_TYPE_STREAM = '0001';

function lookAtTcp(inode: string): Descriptor | undefined {
  for (const table of ['tcp', 'tcp6']) {
    const row = rows(table).find((columns) => columns[9] === inode);
    if (row === undefined) continue;
    const [, local = '', , state] = row;
    return state === TCP_LISTEN ? { kind: 'listener', address: readInternetAddress(local) } : { kind: 'connected socket' };
  }
  return undefined;
}

function lookAtUnix(inode: string): Descriptor | undefined {
  const row = rows('unix').find((columns) => columns[6] === inode);
  if (row === undefined) return undefined;
  const [, , , , type, state] = row;
  if (type !== UNIX_TYPE_STREAM) return { kind: 'datagram socket' };
  if (state === UNIX_STATE_CONNECTED) return { kind: 'connected socket' };
  return isUnixListener(row) ? { kind: 'listener', address: readUnixAddress(row) } : { kind: 'unknown socket' };
}

function isUnixListener([, , , flags = '0', , , , path]: readonly string[]): boolean {
  return (Number.parseInt(flags, 16) & UNIX_FLAG_LISTENING) !== 0 && path !== undefined;
}

function readUnixAddress(columns: readonly string[]): BindableAddress {
  return { kind: 'unix', path: columns.slice(7).join(' ').replace(/^@/, '\0') };
}

function lookAtUdp(inode: string): Descriptor | undefined {
  for (const table of ['udp', 'udp6']) {
    const row = rows(table).find((columns) => columns[9] === inode);
    if (row !== undefined) return { kind: 'datagram socket', address: readInternetAddress(row[1] ?? '') };
  }
  return undefined;
}

function rows(table: string): string[][] {
  return readText(`/proc/self/net/${table}`)
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/));
}

/** `0100007F:1F90`: 32-bit words in the machine's byte order, the port in hexadecimal. */
function readInternetAddress(text: string): BindableAddress {
  const [hex = '', port = '0'] = text.split(':');
  const { endianness } = process.getBuiltinModule('node:os');
  const words = hex.match(/.{8}/g) ?? [];
  const bytes = Buffer.concat(
    words.map((word) => {
      const buffer = Buffer.from(word, 'hex');
      return endianness() === 'LE' ? buffer.reverse() : buffer;
    }),
  );
  return { kind: 'tcp', host: bytes.length === 4 ? bytes.join('.') : formatIPv6(bytes), port: Number.parseInt(port, 16) };
}

function formatIPv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return canonicalHost(groups.join(':'));
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function readLink(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
