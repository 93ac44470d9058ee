import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';

/** What http.Server ends a connection with after its last answer; not in the public types. */
interface EndsSoon {
  destroySoon?: () => void;
}

/**
 * Lets a client whose upload is still on its way read the answer. close(2) on a
 * socket with unread data makes the kernel send a reset, which overtakes the
 * answer; so the sending side is shut down first, and the rest is read.
 */
export function lingerOverUpload(request: IncomingMessage, socket: Socket): void {
  const { headers } = request;
  if (headers['content-length'] === undefined && headers['transfer-encoding'] === undefined) return;
  const ending = socket as EndsSoon;
  const { destroySoon } = ending;
  // Without it this Node.js ends connections in a way that is not known here, and is left to it.
  if (typeof destroySoon !== 'function') return;
  ending.destroySoon = () => {
    ending.destroySoon = destroySoon;
    const end = (): void => destroySoon.call(socket);
    if (request.complete || request.destroyed) return end();
    socket.end();
    request.once('close', end).resume();
  };
}
