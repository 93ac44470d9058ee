import { type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';

const CHECKS_PER_TIMEOUT = 10;
const SHORTEST_INTERVAL_MS = 5;
const LONGEST_INTERVAL_MS = 100;
/** Closing a socket takes Node.js 10 to 20 µs: ten thousand at once would delay every response. */
const SLICE_MS = 5;

/** The connections that {@link closeIdle} checks. */
export interface IdleCandidates {
  sockets(): Iterable<Socket>;
  /** Whether no request is in flight. */
  isIdle(socket: Socket): boolean;
  /** How long a connection may be idle, in milliseconds. Default `idleTimeout`. */
  timeout?(socket: Socket): number;
  /** How many may be closed at one check, longest idle first. Default: all. */
  atMost?(): number;
}

/** What an idle connection was like at the last check. */
interface Observation {
  readonly bytesRead: number;
  readonly since: number;
}

/**
 * Closes idle connections: no request in flight, and no byte received for
 * `idleTimeout` milliseconds. A byte of a request's head or of a TLS handshake
 * counts as activity.
 *
 * @returns a function that stops the checks.
 */
export function closeIdle(candidates: IdleCandidates, idleTimeout: number): () => void {
  const interval = Math.min(LONGEST_INTERVAL_MS, Math.max(SHORTEST_INTERVAL_MS, idleTimeout / CHECKS_PER_TIMEOUT));
  const observed = new WeakMap<Socket, Observation>();
  let stopped = false;

  const look = async (): Promise<void> => {
    const now = performance.now();
    let due: Socket[] = [];
    for (const socket of candidates.sockets()) {
      if (!candidates.isIdle(socket)) {
        observed.delete(socket);
        continue;
      }
      const { bytesRead } = socket;
      let current = observed.get(socket);
      if (current?.bytesRead !== bytesRead) observed.set(socket, (current = { bytesRead, since: now }));
      if (now - current.since >= (candidates.timeout?.(socket) ?? idleTimeout)) due.push(socket);
    }
    if (candidates.atMost !== undefined && candidates.atMost() < due.length) {
      const since = (socket: Socket): number => observed.get(socket)!.since;
      due = due.sort((a, b) => since(a) - since(b)).slice(0, candidates.atMost());
    }
    await closeInSlices(due, (socket) => candidates.isIdle(socket) && socket.bytesRead === observed.get(socket)?.bytesRead);
  };
  const check = async (): Promise<void> => {
    // What was observed stays true: a connection that has received nothing was idle all the time.
    if (candidates.atMost?.() !== 0) await look();
    if (!stopped) timer = setTimeout(check, interval);
  };
  let timer = setTimeout(check, 0);
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}

/**
 * Checks each socket once more before it closes it. libuv runs timers before it
 * polls: after a long computation a request may wait in the kernel. A request may
 * also come between two slices.
 */
async function closeInSlices(due: readonly Socket[], isDue: (socket: Socket) => boolean): Promise<void> {
  if (due.length === 0) return;
  await nextTurn();
  let end = performance.now() + SLICE_MS;
  for (const socket of due) {
    if (performance.now() >= end) {
      await nextTurn();
      end = performance.now() + SLICE_MS;
    }
    if (isDue(socket)) socket.destroy();
  }
}
