import { type RequestListener, type ServerResponse } from 'node:http';
import { type Socket } from 'node:net';

const LOOKS_PER_TIMEOUT = 10;

interface Answer {
  readonly response: ServerResponse;
  /** The look after which it is late. */
  readonly due: number;
}

/**
 * Cuts off answers that are not written within so many milliseconds from the end
 * of the request's head: Go's WriteTimeout. An HTTP/1 connection cannot go on
 * after an answer that is not whole, so it ends as well.
 *
 * A timer or a listener for each answer would show beside a bare server. So
 * answers are noted by their connection, and looked at ten times a timeout.
 */
export function limitAnswers(handler: RequestListener, timeout: number): RequestListener {
  const pending = new Map<Socket, Answer[]>();
  const interval = Math.max(1, Math.ceil(timeout / LOOKS_PER_TIMEOUT));
  const looks = Math.ceil(timeout / interval);
  let now = 0;
  let timer: NodeJS.Timeout | undefined;

  function forget(this: Socket): void {
    pending.delete(this);
    if (pending.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  }
  const look = (): void => {
    now += 1;
    for (const [socket, answers] of pending) {
      if (answers.some((answer) => answer.due < now && !isDone(answer))) socket.destroy();
    }
  };
  const note = (socket: Socket, response: ServerResponse): void => {
    const answers = pending.get(socket);
    // One more look, as the first may come right now.
    const answer = { response, due: now + looks };
    if (answers !== undefined) {
      // Mostly one that is done; more where a client sends requests without waiting for answers.
      while (answers.length > 0 && isDone(answers[0]!)) answers.shift();
      answers.push(answer);
      return;
    }
    pending.set(socket, [answer]);
    socket.once('close', forget);
    timer ??= setInterval(look, interval).unref();
  };
  return (request, response) => {
    note(request.socket, response);
    return handler(request, response);
  };
}

/** Whether the last byte is with the kernel, or there is nobody to send it to. */
function isDone({ response }: Answer): boolean {
  return response.writableFinished || response.destroyed;
}
