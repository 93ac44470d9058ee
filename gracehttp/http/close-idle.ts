import { type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';

const LOOKS_PER_TIMEOUT = 10;
const SHORTEST_LOOK_MS = 5;
const LONGEST_LOOK_MS = 100;
/** Ending a socket takes Node.js 10 to 20 µs: ten thousand at once would hold up every answer. */
const SLICE_MS = 5;

/** The connections of a server, to be looked at again and again. */
export interface Watched {
  sockets(): Iterable<Socket>;
  /** Whether no answer is under way. */
  isIdle(socket: Socket): boolean;
  /** How many may be ended at a look, those that are idle the longest; all where this is not there. */
  atMost?(): number;
}

/** What an idle connection was like when it was last looked at. */
interface Look {
  readonly bytesRead: number;
  readonly since: number;
}

/**
 * Ends connections on which nothing happens: no answer under way, and no byte
 * received for `idleTimeout` milliseconds, be it of a request's head or of a
 * TLS handshake.
 *
 * @returns what ends the watch.
 */
export function endIdle(watched: Watched, idleTimeout: number): () => void {
  const interval = Math.min(LONGEST_LOOK_MS, Math.max(SHORTEST_LOOK_MS, idleTimeout / LOOKS_PER_TIMEOUT));
  let looks = new Map<Socket, Look>();
  let stopped = false;

  const look = async (): Promise<void> => {
    const now = performance.now();
    const next = new Map<Socket, Look>();
    let due: Socket[] = [];
    for (const socket of watched.sockets()) {
      if (!watched.isIdle(socket)) continue;
      const last = looks.get(socket);
      const current = last?.bytesRead === socket.bytesRead ? last : { bytesRead: socket.bytesRead, since: now };
      next.set(socket, current);
      if (now - current.since >= idleTimeout) due.push(socket);
    }
    looks = next;
    if (watched.atMost !== undefined && watched.atMost() < due.length) {
      const since = (socket: Socket): number => next.get(socket)!.since;
      due = due.sort((a, b) => since(a) - since(b)).slice(0, watched.atMost());
    }
    await endInSlices(due, (socket) => watched.isIdle(socket) && socket.bytesRead === looks.get(socket)?.bytesRead);
    if (!stopped) timer = setTimeout(look, interval);
  };
  let timer = setTimeout(look, 0);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/** A request may come between two slices, so each socket is asked for once more before it is ended. */
async function endInSlices(due: readonly Socket[], isDue: (socket: Socket) => boolean): Promise<void> {
  let end = performance.now() + SLICE_MS;
  for (const socket of due) {
    if (performance.now() >= end) {
      await nextTurn();
      end = performance.now() + SLICE_MS;
    }
    if (isDue(socket)) socket.destroy();
  }
}
