import { closeIdle } from '../http/close-idle.js';
import { type HttpConnections } from '../http/http-connections.js';

/**
 * How long a connection may be idle while others wait for its place. A shorter
 * time is fairer; a longer time closes fewer connections just as their clients
 * send the next request.
 */
const IDLE_WHILE_OTHERS_WAIT_MS = 500;

/**
 * Shares the places of a server fairly. While connections wait, a connection that
 * has a place is closed after its response, and one that has had a response and
 * is idle is closed, longest idle first, at most as many as are waiting.
 *
 * @returns a function to call when the first connection begins to wait (`true`),
 * and when no connection waits any longer (`false`).
 */
export function roomMaker(connections: HttpConnections): (waiting: boolean) => void {
  let stopClosingIdle: (() => void) | undefined;
  connections.closeWhen(() => connections.waiting.size > 0);
  return (waiting) => {
    stopClosingIdle?.();
    stopClosingIdle = undefined;
    if (!waiting) return;
    connections.closeAfterResponses();
    stopClosingIdle = closeIdle(
      {
        sockets: () => connections.served(),
        isIdle: (socket) => connections.isIdle(socket) && connections.get(socket)?.hasSpoken === true,
        atMost: () => connections.waiting.size,
      },
      IDLE_WHILE_OTHERS_WAIT_MS,
    );
  };
}
