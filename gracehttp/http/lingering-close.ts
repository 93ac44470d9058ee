import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';

/** How http.Server closes a connection after its last response; it is not in the public types. */
interface DestroysSoon {
  destroySoon?: () => void;
}

/** How long is read on at most: a client that sends slowly, or does not close, must not keep its place. */
const LINGER_MS = 2_000;

/**
 * Closes a connection after its last response so that the client can read it
 * (RFC 9112, 9.6). close(2) on a socket with unread data makes the kernel send a
 * reset, which can overtake the response: an upload may still be on its way, or a
 * client that pipelines may have sent its next requests. So the sending side is shut
 * down first, and what comes is read and dropped until the client closes, for two
 * seconds at most.
 *
 * @param dropsRequests - whether further requests may come; if not, only the rest of an upload is read.
 */
export function lingerAfter(request: IncomingMessage, socket: Socket, dropsRequests: boolean): void {
  const { headers } = request;
  const isUpload = headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined;
  if (!isUpload && !dropsRequests) return;
  const ending = socket as DestroysSoon;
  const { destroySoon } = ending;
  // A Node.js version without it closes connections in another way, which is left as it is.
  if (typeof destroySoon !== 'function') return;
  let lingers = false;
  // It stays replaced, because the program may replace it too.
  ending.destroySoon = () => {
    const end = (): void => destroySoon.call(socket);
    const isOver = request.complete ? !dropsRequests : request.destroyed;
    if (lingers || isOver || socket.destroyed) return end();
    lingers = true;
    socket.end();
    const timer = setTimeout(() => void nextTurn().then(end), LINGER_MS);
    socket.once('close', () => clearTimeout(timer));
    if (request.complete) dropRequests(socket, end);
    else request.once('close', end).resume();
  };
}

/** Reads what comes, which no parser sees any more, until the client closes. */
function dropRequests(socket: Socket, onEnd: () => void): void {
  // http.Server lets go of a connection when it gets another listener for its data.
  socket.removeAllListeners('data').on('data', () => undefined);
  socket.once('end', onEnd).resume();
}
