import { type RequestListener, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

const CHECKS_PER_TIMEOUT = 10;

interface PendingResponse {
  readonly response: ServerResponse;
  /** The number of the check after which it is late. */
  readonly due: number;
}

/**
 * Cuts off responses that are not written within `timeout` milliseconds from the
 * end of the request's head, as Go's WriteTimeout does. The connection is closed
 * too: HTTP/1 cannot go on after an incomplete response.
 *
 * A timer or a listener for each response would be measurable against a bare
 * server. So responses are kept by connection, and checked ten times a timeout.
 */
export function withWriteTimeout(handler: RequestListener, timeout: number): RequestListener {
  const pending = new Map<Socket, PendingResponse[]>();
  const interval = Math.max(1, Math.ceil(timeout / CHECKS_PER_TIMEOUT));
  const checks = Math.ceil(timeout / interval);
  let now = 0;
  let timer: NodeJS.Timeout | undefined;

  function forget(this: Socket): void {
    pending.delete(this);
    if (pending.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
  const check = (): void => {
    now += 1;
    for (const [socket, responses] of pending) {
      if (responses.some((response) => response.due < now && !isDone(response))) socket.destroy();
    }
  };
  const add = (socket: Socket, response: ServerResponse): void => {
    const responses = pending.get(socket);
    // One more check, as the first one may come right now.
    const added = { response, due: now + checks };
    if (responses !== undefined) {
      // Mostly there is one, and it is done; a client that pipelines requests has more.
      while (responses.length > 0 && isDone(responses[0]!)) responses.shift();
      responses.push(added);
      return;
    }
    pending.set(socket, [added]);
    socket.once('close', forget);
    timer ??= setInterval(check, interval).unref();
  };
  return (request, response) => {
    add(request.socket, response);
    return handler(request, response);
  };
}

/** Whether the kernel has the last byte, or the connection is gone. */
function isDone({ response }: PendingResponse): boolean {
  return response.writableFinished || response.destroyed;
}
