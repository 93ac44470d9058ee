import { fstatSync } from 'node:fs';
import { Deadline } from '../deadline.js';
import { type Channel } from '../launch/preload-contract.js';
import { TAKES, THERE, type ToWorker, WHERE } from './messages.js';
import { peerOf } from './peer.js';
import { type ConnectionReceiver } from './receiver.js';
import { ConnectionSender, type Onward } from './sender.js';

/** start_server answers at once. If it does not, connections drain. */
const PATIENCE_MS = 1_000;

/**
 * Moves connections between workers of start_server, which passes them on. Nobody
 * reads from them there. Their kinds are named with the inodes of the listening
 * sockets, because each worker has its own number for a socket that all of them have.
 */
export class Siblings {
  readonly #channel: Channel;
  readonly #arrivals: ConnectionReceiver;
  #sender: ConnectionSender | undefined;

  constructor(channel: Channel, arrivals: ConnectionReceiver) {
    this.#channel = channel;
    this.#arrivals = arrivals;
    arrivals.connect(channel, bySocket);
    channel.onEnd = () => this.#sender?.end();
  }

  /** Connections that the other worker has taken. */
  get moved(): number {
    return this.#sender?.moved ?? 0;
  }

  /** This worker serves: it can get the connections of the one before it. */
  serving(): void {
    this.#channel.send({ cmd: TAKES, takes: this.#arrivals.kinds });
  }

  /** Asks for the worker that takes the place of this one. Fulfils when {@link onward} knows. */
  async find(): Promise<void> {
    if (this.#channel.ended) return;
    const deadline = new Deadline(PATIENCE_MS);
    const answered = new Promise<void>((done) => {
      process.on('internalMessage' as 'message', (message: ToWorker) => {
        if (message.cmd !== THERE) return;
        if (message.takes !== undefined) this.#sender ??= new ConnectionSender(peerOf(this.#channel), message.takes);
        done();
      });
    });
    this.#channel.send({ cmd: WHERE });
    await deadline.bound(answered);
    deadline.clear();
  }

  /** Where the connections of a listener can move to; undefined if they stay. */
  onward(fd: number): Onward | undefined {
    return this.#sender?.onward(inodeOf(fd));
  }
}

/** A kind with a descriptor, see kindOf(), with the inode in its place. */
function bySocket(kind: string): string {
  const at = kind.lastIndexOf(' ') + 1;
  return kind.slice(0, at) + inodeOf(Number(kind.slice(at)));
}

function inodeOf(fd: number): string {
  return String(fstatSync(fd, { bigint: true }).ino);
}
