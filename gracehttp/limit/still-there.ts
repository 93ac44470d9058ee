import { type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';

/** The end of a connection is read one turn of the event loop after the last data, and the first turn may be over already. */
const TURNS = 3;
/** A client that has sent more than this is still there, or has sent a request that is worth an answer. */
const MOST_BYTES = 64 * 1024;

/**
 * Finds out whether the client of a connection that was not read so far is still
 * there. It reads what the client has sent, and puts it back: the connection is
 * then as it came, paused and with its data.
 *
 * A client that has shut down its sending side counts as one that has left: the
 * kernel does not tell these apart.
 */
export async function isStillThere(socket: Socket): Promise<boolean> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let left = false;
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes >= MOST_BYTES) socket.pause();
  };
  const onLeft = (): void => {
    left = true;
  };
  socket.on('data', onData).on('end', onLeft).on('error', onLeft).resume();
  for (let turn = 0; turn < TURNS && !left; turn += 1) await nextTurn();
  socket.pause().off('data', onData).off('end', onLeft);
  if (left || socket.destroyed) return false;
  socket.off('error', onLeft);
  for (const chunk of chunks.reverse()) socket.unshift(chunk);
  return true;
}
