import { once } from 'node:events';
import net from 'node:net';
import { type Readable } from 'node:stream';
import { createInterface } from 'node:readline';

/** A client of the fixture `echo`: it sends lines, and each is answered with the pid and the line. */
export class Conversation {
  readonly #socket: net.Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#lines = createInterface({ input: socket as Readable })[Symbol.asyncIterator]();
  }

  static async begin(where: net.NetConnectOpts): Promise<Conversation> {
    const socket = net.connect(where);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    return new Conversation(socket);
  }

  /** Says one line. Resolves to the pid that answered; rejects if the answer is not that of the line. */
  async say(line: string): Promise<number> {
    this.#socket.write(`${line}\n`);
    const { value, done } = await this.#lines.next();
    const [pid, said] = (value ?? '').split(' ');
    if (done === true || said !== line) throw new Error(`"${line}" was answered with ${done === true ? 'the end' : `"${value}"`}`);
    return Number(pid);
  }

  /** Ends the conversation, and waits until the server has ended it too. */
  async end(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.end();
    await closed;
  }
}

/** One whole conversation of some lines. Resolves to the pid that answered all of them. */
export async function converse(where: net.NetConnectOpts, lines: number): Promise<number> {
  const conversation = await Conversation.begin(where);
  const pids = new Set<number>();
  for (let line = 1; line <= lines; line += 1) pids.add(await conversation.say(`line${line}`));
  await conversation.end();
  if (pids.size !== 1) throw new Error(`one connection was answered by ${[...pids].join(' and ')}`);
  return [...pids][0]!;
}
