import net from 'node:net';
import t, { type Test } from 'tap';
import { portsOf } from '../../support/address.js';
import { type Program, example, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const RESTARTS = 10;
const CLIENTS = 10;

async function serveExample(t: Test, name: string): Promise<{ program: Program; port: number }> {
  const program = start(t, example(name), { args: ['127.0.0.1:0'] });
  const [port] = portsOf(await program.announced('ready'));
  return { program, port: port! };
}

/** Restarts, and waits until the next process is ready. */
async function restart(program: Program, nth: number): Promise<void> {
  process.kill(program.serving, 'SIGUSR2');
  await program.announced('ready', nth + 1);
}

/** A client of a line protocol that sends its next command when it has the answer, and never connects again. */
class LineClient {
  readonly answers: string[] = [];
  ended = false;
  readonly socket: net.Socket;
  #rest = '';

  constructor(port: number, next: () => string, split = false) {
    this.socket = net.connect(port, '127.0.0.1');
    const ask = (): void => {
      const line = `${next()}\r\n`;
      if (!split) return void this.socket.write(line);
      this.socket.write(line.slice(0, 2));
      setTimeout(() => this.socket.write(line.slice(2)), 2);
    };
    this.socket.on('connect', ask).on('close', () => {
      this.ended = true;
    });
    this.socket
      .on('error', () => undefined)
      .setEncoding('latin1')
      .on('data', (text: string) => {
        const lines = (this.#rest + text).split('\r\n');
        this.#rest = lines.pop()!;
        this.answers.push(...lines);
        if (lines.length > 0) ask();
      });
  }
}

t.test(
  `the example of a line protocol: no connection is closed and no command is lost in ${RESTARTS} restarts, also one that comes in two pieces`,
  async (t) => {
    const { program, port } = await serveExample(t, 'counters');
    const clients = Array.from({ length: CLIENTS }, (_, index) => new LineClient(port, () => 'INCR', index % 2 === 1));
    t.teardown(() => clients.forEach(({ socket }) => socket.destroy()));
    for (let nth = 1; nth <= RESTARTS; nth += 1) {
      await restart(program, nth);
      const pid = String(program.serving);
      await waitUntil('the new process to answer every client', () =>
        clients.every(({ answers, ended }) => ended || answers.at(-1)!.endsWith(pid)),
      );
    }
    for (const { answers, ended } of clients) {
      t.notOk(ended, 'not closed');
      const counts = answers.map((answer) => Number(/^:(\d+)/.exec(answer)?.[1]));
      t.ok(
        counts.every((count, index) => count === index + 1),
        `${counts.length} answers in order`,
      );
      t.equal(new Set(answers.map((answer) => answer.split(' ')[1])).size, RESTARTS + 1);
    }
    process.kill(program.serving, 'SIGTERM');
    clients.forEach(({ socket }) => socket.destroy());
    await program.ended();
  },
);

/** Reads an answer in chunks from a raw connection. */
class ChunkedClient {
  head = '';
  body = '';
  ended = false;
  /** Whether the last chunk has come. */
  complete = false;
  readonly socket: net.Socket;
  #received = '';

  constructor(port: number, path: string) {
    this.socket = net.connect(port, '127.0.0.1', () => this.get(path));
    this.socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    this.socket
      .on('error', () => undefined)
      .on('close', () => {
        this.ended = true;
      });
  }

  get(path: string): void {
    this.#received = this.head = this.body = '';
    this.complete = false;
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  }

  get ids(): number[] {
    return [...this.body.matchAll(/^id: (\d+)$/gm)].map(([, id]) => Number(id));
  }

  get pids(): Set<string> {
    return new Set([...this.body.matchAll(/^data: (\d+)$/gm)].map(([, pid]) => pid!));
  }

  #read(text: string): void {
    this.#received += text;
    if (this.head === '') {
      const end = this.#received.indexOf('\r\n\r\n');
      if (end === -1) return;
      this.head = this.#received.slice(0, end);
      this.#received = this.#received.slice(end + 4);
    }
    for (;;) {
      const [line, size] = /^([\da-f]+)\r\n/.exec(this.#received) ?? [];
      if (line === undefined) return;
      const length = parseInt(size!, 16);
      if (this.#received.length < line.length + length + 2) return;
      this.body += this.#received.slice(line.length, line.length + length);
      this.#received = this.#received.slice(line.length + length + 2);
      if (length === 0) this.complete = true;
    }
  }
}

t.test(`the example of server-sent events: no stream ends and no event is lost in ${RESTARTS} restarts`, async (t) => {
  const { program, port } = await serveExample(t, 'feed');
  const clients = Array.from({ length: CLIENTS }, () => new ChunkedClient(port, '/'));
  t.teardown(() => clients.forEach(({ socket }) => socket.destroy()));
  await waitUntil('events', () => clients.every(({ ids }) => ids.length > 0));
  for (let nth = 1; nth <= RESTARTS; nth += 1) {
    await restart(program, nth);
    const pid = String(program.serving);
    await waitUntil('events of the new process', () => clients.every(({ pids, ended }) => ended || pids.has(pid)));
  }
  for (const client of clients) {
    t.notOk(client.ended, 'not closed');
    t.ok(
      client.ids.every((id, index) => id === index + 1),
      `${client.ids.length} events in order`,
    );
    t.equal(client.pids.size, RESTARTS + 1);
  }
  clients.forEach(({ socket }) => socket.destroy());
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
});

t.test(
  'a response that moved is finished by end(), and the connection serves the next request, also one that was sent before',
  async (t) => {
    const { program, port } = await serveExample(t, 'feed');
    const client = new ChunkedClient(port, '/?last=60');
    t.teardown(() => client.socket.destroy());
    await waitUntil('events', () => client.ids.length > 0);
    await restart(program, 1);
    await waitUntil('the end of the response', () => client.complete);
    t.strictSame(
      client.ids,
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
    t.equal(client.pids.size, 2);
    client.get('/?last=3');
    await waitUntil('the next response', () => client.complete);
    t.strictSame(client.ids, [1, 2, 3]);
    t.strictSame([...client.pids], [String(program.serving)]);

    client.get('/?last=60');
    await waitUntil('events', () => client.ids.length > 0);
    await restart(program, 2);
    await waitUntil('events of the new process', () => client.pids.size === 2);
    client.socket.write('GET /?last=2 HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await waitUntil('the end of the response', () => client.complete && client.ids.length >= 60);
    client.socket.destroy();
    process.kill(program.serving, 'SIGTERM');
    await program.ended();
  },
);
