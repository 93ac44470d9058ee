import { type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { isEventStream } from '../../http/event-stream.js';
import { type HttpConnection } from '../../http/http-connection.js';

/** RFC 6455: a close frame with the code 1012, "service restart", on which clients come back. */
const CLOSE_1012 = Buffer.from([0x88, 0x02, 0x03, 0xf4]);
/** This many leave in each round: all at once would come back at once. */
const AT_ONCE = 20;
const EVERY_MS = 20;
/** A client that does not answer the close frame is disconnected after this. */
const CLOSE_WITHIN_MS = 5_000;

/**
 * Tells the clients of WebSockets and event streams, which would stay otherwise, to leave.
 * The program does not know that they should. They come back to the process that serves.
 *
 * @param connections - all of the process; asked again in each round.
 * @returns a function that ends it.
 */
export function sayGoodbye(connections: () => Iterable<HttpConnection>): () => void {
  const told = new WeakSet<Socket>();
  const round = (): void => {
    let left = AT_ONCE;
    for (const { webSocket, response } of connections()) {
      if (left === 0) return;
      if (webSocket !== undefined && !told.has(webSocket)) {
        told.add(webSocket);
        closeWebSocket(webSocket);
      } else if (response !== undefined && !response.writableEnded && response.headersSent && isEventStream(response)) {
        endStream(response);
      } else {
        continue;
      }
      left -= 1;
    }
  };
  round();
  const timer = setInterval(round, EVERY_MS);
  return () => clearInterval(timer);
}

/** The program has written whole frames only, so this one comes between two of them. Its library answers the client's close frame. */
function closeWebSocket(socket: Socket): void {
  if (!socket.writable) return;
  socket.write(CLOSE_1012);
  const timer = setTimeout(() => socket.end(), CLOSE_WITHIN_MS);
  socket.once('close', () => clearTimeout(timer));
}

/** The connection ends too: an EventSource would come back on it, to this process. What the program writes later goes nowhere. */
function endStream(response: ServerResponse): void {
  const { socket } = response;
  response.end(() => socket?.end());
  response.write = () => false;
  response.end = () => response;
}
