import net from 'node:net';
import { nextTurn } from '../../deadline.js';
import { logger } from '../../log.js';
import { OwnConnections } from './own-connections.js';
import { Hold } from './hold.js';

const log = logger('listener');

/** A final stop accepts until this many event-loop turns in a row brought no connection. */
const QUIET_TURNS = 8;
/** It stops accepting after this time in any case. */
const QUIET_WITHIN_MS = 1_000;

/** The part of `listen()` that opens the socket; not in the public types. */
interface Listens {
  readonly _listen2?: (address: null, port: null, type: null, backlog: number, fd: number) => void;
}

/**
 * Makes a server listen; rejects with the system's error.
 *
 * @param target - what listen() takes, or the number of an inherited descriptor.
 */
export function listening(server: net.Server, target: object | number, backlog: number): Promise<void> {
  return new Promise((done, fail) => {
    const onListening = (): void => {
      server.off('error', onError);
      done();
    };
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      fail(error);
    };
    server.once('listening', onListening).once('error', onError);
    if (typeof target === 'number') listenOn(server, target, backlog);
    else server.listen(target, backlog);
  });
}

/** listen() would load node:cluster and with it child_process, 3 ms in which the first clients wait. */
function listenOn(server: net.Server & Listens, fd: number, backlog: number): void {
  if (typeof server._listen2 === 'function') server._listen2(null, null, null, backlog, fd);
  // The form in which Node.js uses the backlog for descriptors too.
  else server.listen({ fd }, backlog);
}

/** Closes the listening socket and nothing else; the close() of http.Server also destroys idle connections. */
export function closeListening(server: net.Server): void {
  if (server.listening) net.Server.prototype.close.call(server);
}

/**
 * Accepts what waits in the kernel's queue, then closes the listening socket,
 * because the kernel resets connections that are not accepted. Node.js accepts
 * one connection a turn of the event loop, so a few turns without one mean that
 * the queue is empty. Connections are read only after the close: each answer
 * would bring the next connection of its client, and the queue would never end.
 *
 * @param backlog - of a socket that no other process has: then a connection that comes in between is not lost either.
 */
export async function closeWhenQuiet(server: net.Server, backlog?: number): Promise<void> {
  const hold = new Hold(server);
  const own = backlog === undefined ? undefined : new OwnConnections(server, backlog);
  const end = performance.now() + QUIET_WITHIN_MS;
  do await untilQuiet(hold, end);
  while (own !== undefined && !(await own.fill()) && performance.now() < end);
  closeListening(server);
  own?.end();
  log('accepted %d more before closing', hold.count);
  await hold.letGo((socket) => own?.has(socket) ?? false);
}

/** @param end - when to stop waiting, by performance.now(). */
async function untilQuiet(hold: Hold, end: number): Promise<void> {
  for (let quiet = 0; quiet < QUIET_TURNS && performance.now() < end; ) {
    const before = hold.count;
    await nextTurn();
    quiet = hold.count === before ? quiet + 1 : 0;
  }
}
