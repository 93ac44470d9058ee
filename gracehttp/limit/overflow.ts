import { type Server, type Socket } from 'node:net';

/** What happens to a connection for which there is no room in the queue either. */
export type Overflow = 'reset' | '503';

const RETRY_AFTER_S = 1;
/** How long a client that was told 503 may take to read it and leave. */
const LEAVE_WITHIN_MS = 1_000;
const BODY = 'There is no room for this connection now.\n';
const ANSWER = [
  'HTTP/1.1 503 Service Unavailable',
  `Retry-After: ${RETRY_AFTER_S}`,
  'Content-Type: text/plain',
  `Content-Length: ${BODY.length}`,
  'Connection: close',
  '',
  BODY,
].join('\r\n');

/** Ends a connection for which there is no room. */
export function turnAway(server: Server, socket: Socket, overflow: Overflow): void {
  if (overflow === 'reset' || 'setSecureContext' in server) {
    reset(socket);
    return;
  }
  // The request is read, as close(2) on a socket with unread data sends a reset, which overtakes the answer.
  const timer = setTimeout(() => socket.destroy(), LEAVE_WITHIN_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  socket.end(ANSWER);
  socket.resume();
}

/** A unix socket has no reset; its client sees an end without an answer. */
function reset(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
