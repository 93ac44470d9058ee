import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Answer, readAnswer } from './answer.js';
import { LOST, REFUSED, type RequestRecord, now } from './records.js';

const TIMEOUT_MS = 10_000;
const KEEP_ALIVE = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';
const CLOSE = 'GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n';

/**
 * One request after the other, each with a whole answer or lost. Nothing is sent twice: after a loss the
 * client goes on with its next request.
 */
export class Client {
  readonly #port: number;
  readonly #keepAlive: boolean;
  /** Mean pause between an answer and the next request. */
  readonly #think: number;
  readonly #done: (record: RequestRecord) => void;
  #socket: net.Socket | undefined;
  readonly #refused = new WeakSet<net.Socket>();
  #connections = 0;
  #goesOn = true;

  constructor(port: number, keepAlive: boolean, think: number, done: (record: RequestRecord) => void) {
    this.#port = port;
    this.#keepAlive = keepAlive;
    this.#think = think;
    this.#done = done;
    void this.#run();
  }

  stop(): void {
    this.#goesOn = false;
  }

  async #run(): Promise<void> {
    while (this.#goesOn) {
      await sleep(Math.random() * 2 * this.#think);
      const begin = now();
      const opens = this.#socket === undefined;
      const pid = await this.#ask();
      this.#done({ begin, end: now(), pid, reconnected: opens && this.#keepAlive && this.#connections > 1 });
    }
    this.#socket?.destroy();
  }

  /** The pid of the process that answered, {@link LOST} or {@link REFUSED}. */
  async #ask(): Promise<number> {
    const socket = this.#socket ?? this.#open();
    try {
      socket.write(this.#keepAlive ? KEEP_ALIVE : CLOSE);
      const { status, pid, closes } = await answerOn(socket);
      if (closes || !this.#keepAlive) this.#leave(socket);
      return status === 200 ? pid : LOST;
    } catch {
      this.#leave(socket);
      return this.#refused.has(socket) ? REFUSED : LOST;
    }
  }

  #open(): net.Socket {
    this.#connections += 1;
    const socket = net.connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    // A connection that the server closes between two requests is replaced, and nothing is lost.
    const gone = (): void => this.#leave(socket);
    socket.on('error', ({ code }: NodeJS.ErrnoException) => code === 'ECONNREFUSED' && this.#refused.add(socket));
    return socket.on('error', gone).on('end', gone).on('close', gone);
  }

  #leave(socket: net.Socket): void {
    socket.destroy();
    if (this.#socket === socket) this.#socket = undefined;
  }
}

function answerOn(socket: net.Socket): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let text = '';
    const timer = setTimeout(() => finish(() => reject(new Error('no answer'))), TIMEOUT_MS);
    const onData = (data: Buffer): void => {
      text += data.toString('latin1');
      try {
        const answer = readAnswer(text);
        if (answer !== undefined) finish(() => resolve(answer));
      } catch (error) {
        finish(() => reject(error as Error));
      }
    };
    const onClose = (): void => finish(() => reject(new Error('closed')));
    const finish = (then: () => void): void => {
      clearTimeout(timer);
      socket.off('data', onData).off('close', onClose);
      then();
    };
    socket.on('data', onData).on('close', onClose);
    if (socket.destroyed) onClose();
  });
}
