import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How a client sends its requests. */
export type Manner = 'busy' | 'idle' | 'pipelined' | 'split';

const PIPELINED = 5;
const PAUSE_MS = 3;

/**
 * A client that has one connection, sends its next request as soon as it has the
 * answer, and never connects again.
 */
export class KeepAliveClient {
  answered = 0;
  /** The longest time from the last byte of a request, or of several ones in a row, to an answer. Milliseconds. */
  longestWait = 0;
  /** What a restart must not do: end the connection, say that it ends, or answer with something else than 200. */
  readonly complaints: string[] = [];
  /** The processes that answered, in the order in which they first did. */
  readonly pids = new Set<string>();
  /** Those of the newest answer. */
  headers: Readonly<Record<string, string>> = {};
  /** Fulfils when the client has stopped. */
  readonly ended: Promise<void>;
  readonly #manner: Manner;
  readonly #socket: net.Socket;
  #received = '';
  #awaited = 0;
  #stopping = false;
  #asked = 0;

  constructor(port: number, manner: Manner) {
    this.#manner = manner;
    this.#socket = net.connect(port, '127.0.0.1', () => void this.#ask());
    this.#socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    this.#socket.on('error', ({ message }) => this.complaints.push(message));
    this.ended = new Promise((done) => {
      this.#socket.on('close', () => {
        if (!this.#stopping) this.complaints.push('the connection was closed');
        done();
      });
    });
  }

  /** Ends when the last answer is there. An idle client ends at once. */
  async stop(): Promise<void> {
    this.#stopping = true;
    if (this.#awaited === 0) this.#socket.destroy();
    await this.ended;
  }

  async #ask(): Promise<void> {
    if (this.#stopping) return void this.#socket.destroy();
    const request = 'GET /?ms=2 HTTP/1.1\r\nHost: localhost\r\n\r\n';
    const split = this.#manner === 'split' || this.#manner === 'pipelined';
    this.#awaited = this.#manner === 'pipelined' ? PIPELINED : 1;
    const text = request.repeat(this.#awaited);
    const end = split ? text.length - 20 : text.length;
    this.#asked = performance.now();
    this.#socket.write(text.slice(0, end));
    if (!split) return;
    await sleep(PAUSE_MS);
    this.#asked = performance.now();
    this.#socket.write(text.slice(end));
  }

  #read(text: string): void {
    this.#received += text;
    for (;;) {
      const end = this.#received.indexOf('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(this.#received.slice(0, end))?.[1]);
      if (end === -1 || this.#received.length < end + 4 + length) return;
      this.#onAnswer(this.#received.slice(0, end));
      this.#received = this.#received.slice(end + 4 + length);
    }
  }

  #onAnswer(head: string): void {
    this.answered += 1;
    this.longestWait = Math.max(this.longestWait, performance.now() - this.#asked);
    if (!head.startsWith('HTTP/1.1 200')) this.complaints.push(head);
    if (/connection: close/i.test(head)) this.complaints.push('an answer said Connection: close');
    this.headers = Object.fromEntries(
      [...head.matchAll(/^([\w-]+): (.*)$/gm)].map(([, name, value]) => [name!.toLowerCase(), value!.trim()]),
    );
    this.pids.add(/x-pid: (\d+)/i.exec(head)?.[1] ?? head);
    this.#awaited -= 1;
    if (this.#awaited > 0) return;
    if (this.#manner === 'idle' && !this.#stopping) void sleep(100 + Math.random() * 400).then(() => this.#ask());
    else void this.#ask();
  }
}
