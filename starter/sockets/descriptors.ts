import { GraceError } from '../../lib/errors.js';
import { LISTEN_FDS_START } from '../../lib/systemd/listen-variables.js';

/** A socket as the environment of a worker describes it. */
export interface DescribedSocket {
  /** Its name in `SERVER_STARTER_PORT`. */
  readonly label: string;
  /** Its name in `LISTEN_FDNAMES`. */
  readonly name: string;
  /** The descriptor that `=fd` asks for; undefined: any. */
  readonly target: number | undefined;
}

/** The descriptors of a worker's sockets. */
export interface Descriptors<Socket extends DescribedSocket> {
  /** The socket at each descriptor from 3 on; undefined for a gap. */
  readonly extra: readonly (Socket | undefined)[];
  /** The descriptor of each socket: the one it asked for, or the one that `LISTEN_FDS` implies. */
  readonly fds: ReadonlyMap<Socket, number>;
  /** If a socket asked for descriptor 0: its descriptor from 3 on, to be duplicated to 0. */
  readonly stdin: number | undefined;
  /** The first free descriptor after the sockets. */
  readonly nextFree: number;
  /** `SERVER_STARTER_PORT`. */
  readonly variables: Readonly<Record<string, string>>;
  /** `LISTEN_FDS` and `LISTEN_FDNAMES`; empty without sockets. */
  readonly listenVariables: Readonly<Record<string, string>>;
}

/**
 * Assigns descriptors so that both conventions hold. `LISTEN_FDS` needs all
 * sockets from 3 on without a gap. A socket that asks for a descriptor in that
 * range gets it; one that asks for another descriptor is passed twice.
 *
 * @throws GraceError `OPTION_INVALID` if two sockets ask for the same descriptor.
 */
export function assignDescriptors<Socket extends DescribedSocket>(sockets: readonly Socket[]): Descriptors<Socket> {
  const targets = new Map<number, Socket>();
  for (const socket of sockets) {
    if (socket.target === undefined) continue;
    const other = targets.get(socket.target);
    if (other !== undefined) throw collision(socket.target, other, socket);
    targets.set(socket.target, socket);
  }
  const range = sockets.map((_, index) => targets.get(LISTEN_FDS_START + index));
  const placed = new Set(range);
  const stdin = targets.get(0);
  // The socket for descriptor 0 comes first: dash can duplicate only descriptors below 10.
  const waiting = sockets.filter((socket) => !placed.has(socket)).sort((a, b) => Number(b === stdin) - Number(a === stdin));
  const inRange = range.map((socket) => socket ?? waiting.shift()!);
  const extra: (Socket | undefined)[] = [...inRange];
  for (const [fd, socket] of targets) if (fd >= LISTEN_FDS_START) extra[fd - LISTEN_FDS_START] = socket;
  const fds = new Map(inRange.map((socket, index) => [socket, socket.target ?? LISTEN_FDS_START + index]));
  return {
    extra: Array.from(extra),
    fds,
    stdin: stdin && LISTEN_FDS_START + inRange.indexOf(stdin),
    nextFree: LISTEN_FDS_START + extra.length,
    variables: { SERVER_STARTER_PORT: sockets.map((socket) => `${socket.label}=${fds.get(socket)}`).join(';') },
    listenVariables:
      sockets.length > 0 ? { LISTEN_FDS: String(sockets.length), LISTEN_FDNAMES: inRange.map(({ name }) => name).join(':') } : {},
  };
}

/** A name for `LISTEN_FDNAMES`, which is separated by colons and allows printable ASCII only, see systemd.socket(5). */
export function fdName(text: string): string {
  return text.replace(/[^\x21-\x39\x3b-\x7e]/g, '_').slice(0, 255);
}

function collision(fd: number, a: DescribedSocket, b: DescribedSocket): GraceError {
  return new GraceError('OPTION_INVALID', `${a.label} and ${b.label} both ask for descriptor ${fd}`, {
    subject: 'port',
    value: `${b.label}=${fd}`,
  });
}
