import { type Server, type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';
import { speaksPlainHttp } from '../http/speaks-http.js';

/** What happens to a connection if the queue is full too. */
export type Overflow = 'reset' | '503';

const RETRY_AFTER_S = 1;
/** How long a client may take to read the 503 response and close. */
const CLOSE_WITHIN_MS = 1_000;
const BODY = 'The server has no room for this connection at the moment.\n';
const RESPONSE = [
  'HTTP/1.1 503 Service Unavailable',
  `Retry-After: ${RETRY_AFTER_S}`,
  'Content-Type: text/plain',
  `Content-Length: ${BODY.length}`,
  'Connection: close',
  '',
  BODY,
].join('\r\n');

/** Closes a connection for which there is no room. */
export function refuse(server: Server, socket: Socket, overflow: Overflow): void {
  if (overflow === 'reset' || !speaksPlainHttp(server)) {
    reset(socket);
    return;
  }
  // Read the request: close(2) on a socket with unread data sends a reset, which can overtake the response.
  const timer = setTimeout(() => void nextTurn().then(() => socket.destroy()), CLOSE_WITHIN_MS);
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
  socket.end(RESPONSE);
  socket.resume();
}

/** A unix socket has no reset: its client sees the end of the connection without a response. */
function reset(socket: Socket): void {
  if (socket.remoteFamily === undefined) socket.destroy();
  else socket.resetAndDestroy();
}
