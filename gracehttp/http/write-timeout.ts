import { type RequestListener, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';
import { nextTurn } from '../../lib/deadline.js';
import { warn } from '../../lib/log.js';
import { isEventStream } from './event-stream.js';

const CHECKS_PER_TIMEOUT = 10;
const LONGEST_PATH = 200;

interface PendingResponse {
  readonly response: ServerResponse;
  /** By performance.now(). */
  readonly due: number;
}

/**
 * Cuts off responses that are not written within `timeout` milliseconds from the
 * end of the request's head, as Go's WriteTimeout does, at most a tenth later. The
 * connection is closed too: HTTP/1 cannot go on after an incomplete response.
 * Streams of server-sent events are not cut off.
 *
 * A timer or a listener for each response would be measurable against a bare
 * server. So responses are kept by connection, and checked ten times a timeout.
 * Connections without a response in flight are forgotten at each check.
 */
export function withWriteTimeout(handler: RequestListener, timeout: number): RequestListener {
  const pending = new Map<Socket, PendingResponse[]>();
  const interval = Math.max(1, Math.floor(timeout / CHECKS_PER_TIMEOUT));
  let timer: NodeJS.Timeout | undefined;

  const check = async (): Promise<void> => {
    // After a computation the kernel may have the last byte, and Node.js does not know yet.
    await nextTurn();
    const now = performance.now();
    const late: ServerResponse[] = [];
    for (const [socket, responses] of pending) {
      const open = responses.filter((each) => !isDone(each));
      if (open.length === 0) pending.delete(socket);
      else if (open.length < responses.length) pending.set(socket, open);
      const found = open.find(({ due, response }) => due <= now && !isEventStream(response));
      if (found === undefined) continue;
      late.push(found.response);
      socket.destroy();
    }
    if (late.length > 0) report(late, timeout);
    if (pending.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
  const add = (socket: Socket, response: ServerResponse): void => {
    const added = { response, due: performance.now() + timeout };
    const responses = pending.get(socket);
    if (responses === undefined) {
      pending.set(socket, [added]);
      timer ??= setInterval(() => void check(), interval).unref();
      return;
    }
    // Mostly there is one, and it is done; a client that pipelines requests has more.
    while (responses.length > 0 && isDone(responses[0]!)) responses.shift();
    responses.push(added);
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

/** One line a check, however many there are. The query of a URL may be secret. */
function report(late: readonly ServerResponse[], timeout: number): void {
  const { method, url = '' } = late[0]!.req;
  const request = `${method} ${url.split('?', 1)[0]!.slice(0, LONGEST_PATH)}`;
  const which = late.length === 1 ? request : `${late.length} responses, the first one to ${request}`;
  warn(`cut off after a writeTimeout of ${timeout} ms: ${which}`);
}
