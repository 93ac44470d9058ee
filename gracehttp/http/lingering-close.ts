import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';

/** How http.Server closes a connection after its last response; it is not in the public types. */
interface DestroysSoon {
  destroySoon?: () => void;
}

/** How long the rest of an upload is read at most: a client that sends it slowly must not keep its place. */
const LINGER_MS = 2_000;

/**
 * Lets a client whose upload is still on its way read the response. close(2) on a
 * socket with unread data makes the kernel send a reset, which can overtake the
 * response. So the sending side is shut down first, and the rest is read, for two
 * seconds at most.
 */
export function lingerOverUpload(request: IncomingMessage, socket: Socket): void {
  const { headers } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  const ending = socket as DestroysSoon;
  const { destroySoon } = ending;
  // A Node.js version without it closes connections in another way, which is left as it is.
  if (typeof destroySoon !== 'function') return;
  let lingers = false;
  // It stays replaced, because the program may replace it too.
  ending.destroySoon = () => {
    const end = (): void => destroySoon.call(socket);
    if (lingers || request.complete || request.destroyed) return end();
    lingers = true;
    socket.end();
    const timer = setTimeout(() => void nextTurn().then(end), LINGER_MS);
    request.once('close', () => {
      clearTimeout(timer);
      end();
    });
    request.resume();
  };
}
