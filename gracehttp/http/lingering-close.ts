import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';

/** How http.Server closes a connection after its last response; it is not in the public types. */
interface DestroysSoon {
  destroySoon?: () => void;
}

/**
 * Lets a client whose upload is still on its way read the response. close(2) on a
 * socket with unread data makes the kernel send a reset, which can overtake the
 * response. So the sending side is shut down first, and the rest is read.
 */
export function lingerOverUpload(request: IncomingMessage, socket: Socket): void {
  const { headers } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  const ending = socket as DestroysSoon;
  const { destroySoon } = ending;
  // A Node.js version without it closes connections in another way, which is left as it is.
  if (typeof destroySoon !== 'function') return;
  ending.destroySoon = () => {
    ending.destroySoon = destroySoon;
    const end = (): void => destroySoon.call(socket);
    if (request.complete || request.destroyed) return end();
    socket.end();
    request.once('close', end).resume();
  };
}
