import { setTimeout as sleep } from 'node:timers/promises';
import tls from 'node:tls';

const AT_ONCE = 50;
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** A handshake that is done; by performance.now(). */
export interface Handshake {
  readonly at: number;
  readonly resumed: boolean;
}

/** One client, written for little work of its own: the test has two processors for all of them and the servers. */
class TlsClient {
  /** Who answered last. */
  pid = 0;
  #socket: tls.TLSSocket | undefined;
  #session: Buffer | undefined;
  #answered: () => void = () => undefined;
  #failed: (error: Error) => void = () => undefined;

  readonly #port: number;
  readonly #onHandshake: (handshake: Handshake) => void;

  constructor(port: number, onHandshake: (handshake: Handshake) => void) {
    this.#port = port;
    this.#onHandshake = onHandshake;
  }

  /** Sends a request, on a new connection if there is none. */
  async ask(): Promise<void> {
    this.#socket ??= this.#connect();
    const answer = new Promise<void>((done, fail) => {
      this.#answered = done;
      this.#failed = fail;
    });
    this.#socket.write(REQUEST);
    await answer;
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  #connect(): tls.TLSSocket {
    const session = this.#session === undefined ? {} : { session: this.#session };
    const socket = tls.connect({ port: this.#port, host: '127.0.0.1', rejectUnauthorized: false, ...session });
    socket.setNoDelay();
    socket.on('session', (ticket: Buffer) => (this.#session = ticket));
    socket.once('secureConnect', () => this.#onHandshake({ at: performance.now(), resumed: socket.isSessionReused() }));
    socket.setEncoding('latin1').on('data', (text: string) => this.#onAnswer(socket, text));
    const end = (error = new Error('the connection was closed')): void => {
      if (this.#socket === socket) this.#socket = undefined;
      this.#failed(error);
    };
    socket.on('error', end);
    socket.on('close', () => end());
    return socket;
  }

  /** Answers are so short that each one comes at once. */
  #onAnswer(socket: tls.TLSSocket, text: string): void {
    const [, pid] = /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n(\d+)$/.exec(text) ?? [];
    if (pid === undefined) return this.#failed(new Error(text));
    this.pid = Number(pid);
    if (/\r\nConnection: close\r\n/i.test(text)) {
      this.#socket = undefined;
      // What fails from now on is not about the next request.
      socket
        .removeAllListeners('close')
        .removeAllListeners('error')
        .on('error', () => undefined)
        .end();
    }
    return this.#answered();
  }
}

/** Clients that keep their connections, and connect again when they are told to leave. They resume their sessions. */
export class TlsClients {
  readonly handshakes: Handshake[] = [];
  readonly lost: string[] = [];
  readonly #clients: readonly TlsClient[];
  readonly #waits: { readonly begin: number; readonly time: number }[] = [];
  readonly #pause: number;
  #running: Promise<unknown> | undefined;
  #stopped = false;

  /** @param pause - milliseconds between two requests of a client: up to twice that, at random. */
  constructor(port: number, count: number, pause: number) {
    this.#pause = pause;
    this.#clients = Array.from({ length: count }, () => new TlsClient(port, (handshake) => this.handshakes.push(handshake)));
  }

  /** Fulfils when all of them have had an answer. */
  async connect(): Promise<void> {
    for (let index = 0; index < this.#clients.length; index += AT_ONCE) {
      await Promise.all(this.#clients.slice(index, index + AT_ONCE).map((client) => client.ask()));
    }
    this.#running = Promise.all(this.#clients.map((client) => this.#run(client)));
  }

  /** How many of them had their last answer from another process. */
  elsewhere(pid: number): number {
    return this.#clients.filter((client) => client.pid !== pid).length;
  }

  /** The longest wait, in milliseconds, of a request that began after a moment. */
  longestWait(since: number): number {
    return this.#waits.reduce((longest, { begin, time }) => (begin < since ? longest : Math.max(longest, time)), 0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
    for (const client of this.#clients) client.destroy();
  }

  async #run(client: TlsClient): Promise<void> {
    await sleep(Math.random() * 2 * this.#pause);
    while (!this.#stopped) {
      const begin = performance.now();
      await client.ask().catch((error: unknown) => this.lost.push(String(error)));
      this.#waits.push({ begin, time: performance.now() - begin });
      await sleep(Math.random() * 2 * this.#pause);
    }
  }
}
