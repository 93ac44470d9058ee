import { once } from 'node:events';
import net from 'node:net';
import { type Test } from 'tap';
import { waitUntil } from '../wait.js';

const AT_ONCE = 100;
const REQUEST = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n';

/** Many connections, each of which has had one response and is idle. */
export class IdleClients {
  /** Connections that the server has closed. */
  ended = 0;
  readonly #sockets: net.Socket[] = [];
  #pids: (number | undefined)[] = [];

  static async connect(t: Test, port: number, count: number): Promise<IdleClients> {
    const clients = new IdleClients();
    t.teardown(() => clients.destroy());
    while (clients.#sockets.length < count) {
      const number = Math.min(AT_ONCE, count - clients.#sockets.length);
      await Promise.all(Array.from({ length: number }, () => clients.#connect(port)));
    }
    await clients.ask();
    return clients;
  }

  /**
   * Sends a request on each connection, and waits until each has an answer or is closed.
   *
   * @returns how many answers came from each process.
   */
  async ask(): Promise<Map<number, number>> {
    this.#pids = this.#sockets.map(() => undefined);
    for (const socket of this.#sockets) if (!socket.destroyed) socket.write(REQUEST);
    const missing = (): number => this.#sockets.filter(({ destroyed }, index) => !destroyed && this.#pids[index] === undefined).length;
    await waitUntil(
      'all answers',
      () => missing() === 0,
      () => `${missing()} are missing, ${this.ended} connections are closed`,
    );
    const counts = new Map<number, number>();
    for (const pid of this.#pids) if (pid !== undefined) counts.set(pid, (counts.get(pid) ?? 0) + 1);
    return counts;
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #connect(port: number): Promise<void> {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const index = this.#sockets.push(socket) - 1;
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
      const pid = /x-pid: (\d+)[^]*\r\n\r\nhello/.exec(received)?.[1];
      if (pid === undefined) return;
      received = '';
      this.#pids[index] = Number(pid);
    });
    socket
      .on('error', () => undefined)
      .on('close', () => {
        this.ended += 1;
      });
  }
}
