import { once } from 'node:events';
import net from 'node:net';
import { type Test } from 'tap';
import { waitUntil } from '../wait.js';

/** One answer as it was received. */
export interface RawAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A client that sends exactly what a test tells it to. */
export class RawClient {
  received = '';
  /** How the connection ended: an error code if it broke, undefined while it is open. */
  ended: 'end' | 'close' | string | undefined;
  readonly #socket: net.Socket;

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.received += text;
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.ended ??= error.code ?? error.message;
    });
    socket.on('end', () => {
      this.ended ??= 'end';
    });
    socket.on('close', () => {
      this.ended ??= 'close';
    });
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** The answers that are complete so far. Bodies have a length or come in chunks. */
  get answers(): readonly RawAnswer[] {
    const answers: RawAnswer[] = [];
    for (let rest = this.received; rest !== ''; ) {
      const found = readAnswer(rest, this.ended !== undefined);
      if (found === undefined) break;
      answers.push(found.answer);
      rest = rest.slice(found.length);
    }
    return answers;
  }

  async answered(count: number): Promise<readonly RawAnswer[]> {
    await waitUntil(
      `${count} answers`,
      () => this.answers.length >= count || this.ended !== undefined,
      () => this.received,
    );
    return this.answers;
  }

  async untilEnded(): Promise<string> {
    await waitUntil(
      'the end of the connection',
      () => this.ended !== undefined,
      () => this.received,
    );
    return this.ended!;
  }
}

/** Connects to a port of 127.0.0.1, or uses a socket that the test made. */
export async function rawClient(t: Test, where: number | net.Socket): Promise<RawClient> {
  const socket = typeof where === 'number' ? net.connect(where, '127.0.0.1') : where;
  t.teardown(() => socket.destroy());
  const client = new RawClient(socket);
  if (typeof where === 'number') await once(socket, 'connect');
  return client;
}

function readAnswer(text: string, ended: boolean): { readonly answer: RawAnswer; readonly length: number } | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  );
  const status = Number(statusLine.split(' ')[1]);
  const rest = text.slice(end + 4);
  const whole = (body: string, length: number) => ({ answer: { status, headers, body }, length: end + 4 + length });
  if (status < 200 || status === 204 || status === 304) return whole('', 0);
  if (headers['content-length'] !== undefined) {
    const length = Number(headers['content-length']);
    return rest.length < length ? undefined : whole(rest.slice(0, length), length);
  }
  if (headers['transfer-encoding'] === 'chunked') {
    const last = rest.indexOf('0\r\n\r\n');
    if (last === -1) return undefined;
    const body = rest.slice(0, last).replace(/[\da-f]+\r\n([^\r]*)\r\n/g, '$1');
    return whole(body, last + 5);
  }
  return ended ? whole(rest, rest.length) : undefined;
}
