import { GraceError } from '../../lib/errors.js';
import { LISTEN_FDS_START } from '../../lib/systemd/listen-variables.js';

/** A socket as a worker's environment names it. */
export interface Described {
  /** What `SERVER_STARTER_PORT` calls it. */
  readonly label: string;
  /** What `LISTEN_FDNAMES` calls it. */
  readonly name: string;
  /** The descriptor that `=fd` asks for. */
  readonly target: number | undefined;
}

/** Which descriptors a worker finds its sockets at. */
export interface Layout<Socket extends Described> {
  /** What is at each descriptor from 3 on; undefined for a gap. */
  readonly extra: readonly (Socket | undefined)[];
  /** The descriptor of each socket: the one it asked for, or the one that `LISTEN_FDS` implies. */
  readonly fds: ReadonlyMap<Socket, number>;
  /** The descriptor from 3 on of what is to be descriptor 0 as well, where a socket asked for that. */
  readonly stdin: number | undefined;
  /** A descriptor that is free behind them all. */
  readonly free: number;
  /** `SERVER_STARTER_PORT`, `LISTEN_FDS` and `LISTEN_FDNAMES`; empty values where there is no socket. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Lays sockets out so that both conventions hold. `LISTEN_FDS` means all of them
 * from 3 on without a gap; a socket that asked for a descriptor elsewhere is
 * there a second time, one that asked for a descriptor in that range comes to
 * lie there.
 *
 * @throws GraceError `OPTION_INVALID` where two ask for one descriptor.
 */
export function layOut<Socket extends Described>(sockets: readonly Socket[]): Layout<Socket> {
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
  // The one for descriptor 0 first: dash can duplicate descriptors below 10 only.
  const waiting = sockets.filter((socket) => !placed.has(socket)).sort((a, b) => Number(b === stdin) - Number(a === stdin));
  const inRange = range.map((socket) => socket ?? waiting.shift()!);
  const extra: (Socket | undefined)[] = [...inRange];
  for (const [fd, socket] of targets) if (fd >= LISTEN_FDS_START) extra[fd - LISTEN_FDS_START] = socket;
  const fds = new Map(inRange.map((socket, index) => [socket, socket.target ?? LISTEN_FDS_START + index]));
  return {
    extra: Array.from(extra),
    fds,
    stdin: stdin && LISTEN_FDS_START + inRange.indexOf(stdin),
    free: LISTEN_FDS_START + extra.length,
    variables: {
      SERVER_STARTER_PORT: sockets.map((socket) => `${socket.label}=${fds.get(socket)}`).join(';'),
      ...(sockets.length > 0 && {
        LISTEN_FDS: String(sockets.length),
        LISTEN_FDNAMES: inRange.map(({ name }) => name).join(':'),
      }),
    },
  };
}

/** A name that `LISTEN_FDNAMES` can carry: it is separated by colons, and systemd.socket(5) allows printable ASCII. */
export function fdName(text: string): string {
  return text.replace(/[^\x21-\x39\x3b-\x7e]/g, '_').slice(0, 255);
}

function collision(fd: number, a: Described, b: Described): GraceError {
  return new GraceError('OPTION_INVALID', `${a.label} and ${b.label} both ask for descriptor ${fd}`, {
    subject: 'port',
    value: `${b.label}=${fd}`,
  });
}
