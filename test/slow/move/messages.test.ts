import net from 'node:net';
import t from 'tap';
import { WebSocket } from 'ws';
import { portOf } from '../../support/address.js';
import { fixture, start } from '../../support/program.js';
import { waitUntil } from '../../support/wait.js';

const TALKERS = 2_000;
const LISTENERS = 500;
const RESTARTS = 10;
const AT_ONCE = 100;
/** How often the server says something to each of them, and how long a client waits until it says the next number. */
const EVERY_MS = 1_000;

t.setTimeout(180_000);

/** A client that says the next number when the one before was heard, and never connects again. */
class Talker {
  closed = false;
  said = 0;
  heard = 0;
  told = 0;
  readonly complaints: string[] = [];
  readonly pids = new Set<number>();
  readonly ws: WebSocket;
  #stopped = false;

  constructor(port: number) {
    this.ws = new WebSocket(`ws://127.0.0.1:${port}/`, { perMessageDeflate: false });
    this.ws.on('open', () => this.say());
    this.ws.on('message', (data) => this.#hear(String(data as Buffer)));
    this.ws.on('error', ({ message }) => this.complaints.push(message));
    this.ws.on('close', () => {
      this.closed = true;
    });
  }

  stop(): void {
    this.#stopped = true;
  }

  say(): void {
    if (!this.#stopped) this.ws.send(String((this.said += 1)));
  }

  #hear(text: string): void {
    const [kind, number, pid] = text.split(' ');
    if (kind === 'told') {
      if (Number(number) !== this.told + 1) this.complaints.push(`told ${number} after ${this.told}`);
      this.told = Number(number);
    } else if (kind === 'heard' && Number(number) === this.heard + 1) {
      this.heard += 1;
      this.pids.add(Number(pid));
      setTimeout(() => this.say(), EVERY_MS / 2 + Math.random() * EVERY_MS);
    } else {
      this.complaints.push(text);
    }
  }
}

/** A client of an answer without end. */
class Listener {
  closed = false;
  last = 0;
  readonly complaints: string[] = [];
  readonly pids = new Set<number>();
  readonly socket: net.Socket;
  #rest = '';

  constructor(port: number) {
    this.socket = net.connect(port, '127.0.0.1', () => this.socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    this.socket.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    this.socket.on('error', ({ message }) => this.complaints.push(message));
    this.socket.on('close', () => {
      this.closed = true;
    });
  }

  /** Each event is a chunk: its length is checked too. */
  #read(text: string): void {
    this.#rest += text;
    for (;;) {
      const [chunk, size, id, pid] = /([\da-f]+)\r\nid: (\d+)\ndata: (\d+)\n\n\r\n/.exec(this.#rest) ?? [];
      if (chunk === undefined) return;
      if (parseInt(size!, 16) !== chunk.length - size!.length - 4) this.complaints.push(`a chunk of ${size}: ${JSON.stringify(chunk)}`);
      if (this.last > 0 && !this.#rest.startsWith(chunk)) this.complaints.push(`before a chunk: ${JSON.stringify(this.#rest)}`);
      if (Number(id) !== this.last + 1) this.complaints.push(`${id} after ${this.last}`);
      this.last = Number(id);
      this.pids.add(Number(pid));
      this.#rest = this.#rest.slice(this.#rest.indexOf(chunk) + chunk.length);
    }
  }
}

t.test(
  `${TALKERS} WebSockets and ${LISTENERS} event streams over ${RESTARTS} restarts: none closed, nothing lost or doubled, order kept`,
  async (t) => {
    const program = start(t, fixture('move/talking'), { args: [JSON.stringify({ everyMs: EVERY_MS })] });
    const port = portOf(await program.announced('ready'));
    const [talkers, listeners]: [Talker[], Listener[]] = [[], []];
    t.teardown(() => {
      talkers.forEach(({ ws }) => ws.terminate());
      listeners.forEach(({ socket }) => socket.destroy());
    });
    while (talkers.length < TALKERS) {
      for (let each = 0; each < AT_ONCE; each += 1) talkers.push(new Talker(port));
      await waitUntil('answers', () => talkers.every(({ heard }) => heard > 0));
    }
    while (listeners.length < LISTENERS) {
      for (let each = 0; each < AT_ONCE; each += 1) listeners.push(new Listener(port));
      await waitUntil('events', () => listeners.every(({ last }) => last > 0));
    }
    const all = [...talkers, ...listeners];
    for (let nth = 1; nth <= RESTARTS; nth += 1) {
      process.kill(program.serving, 'SIGUSR2');
      await program.announced('ready', nth + 1);
      await program.announced('closed', nth);
      const { serving } = program;
      const missing = (): number => all.filter(({ pids, closed }) => !closed && !pids.has(serving)).length;
      await waitUntil(
        'the new process to talk to each of them',
        () => missing() === 0,
        () => `${missing()} are missing`,
      );
    }
    talkers.forEach((talker) => talker.stop());
    await waitUntil('the last answers', () => talkers.every(({ said, heard, closed }) => closed || heard === said));
    t.equal(all.filter(({ closed }) => closed).length, 0, 'none closed');
    t.strictSame(all.flatMap(({ complaints }) => complaints).slice(0, 10), [], 'each number once and in order');
    t.ok(
      all.every(({ pids }) => pids.size === RESTARTS + 1),
      `${RESTARTS + 1} processes talked to each of them`,
    );
    const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
    t.comment(`${sum(talkers.map(({ heard, told }) => heard + told))} messages, ${sum(listeners.map(({ last }) => last))} events`);
    t.strictSame(
      program.all('closed').map(({ code }) => code),
      Array.from({ length: RESTARTS }, () => 0),
    );
    talkers.forEach(({ ws }) => ws.terminate());
    listeners.forEach(({ socket }) => socket.destroy());
    process.kill(program.serving, 'SIGTERM');
    await program.ended();
  },
);
