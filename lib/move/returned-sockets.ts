import { type ChildProcess, type SendHandle } from 'node:child_process';
import { type Server } from 'node:net';
import { Deadline } from '../deadline.js';
import { type Channel } from '../launch/preload-contract.js';
import { HandleChannel } from './channel.js';
import { RETURN, type Return, type ToPredecessor } from './messages.js';
import { peerOf } from './peer.js';

/** A listening socket as libuv has it. It accepts nothing until a server listens on it. */
export interface ListeningHandle {
  readonly fd: number;
  close(): void;
}

/** How long a predecessor waits for the sockets. All of them are sent before the successor says that it serves. */
const PATIENCE_MS = 2_000;

/**
 * Sends a descriptor of each socket back to the predecessor. A process cannot by
 * itself keep a second descriptor of a socket that it accepts on: Node.js has no
 * dup(2), and closing the server closes the only one. The successor has another one.
 *
 * @returns the descriptors that are sent.
 */
export function returnSockets(channel: Channel, servers: ReadonlyMap<number, Server>): readonly number[] {
  // Node.js would send the second one when the event loop goes on, and a program may block it from now on.
  const handles = new HandleChannel(peerOf(channel));
  const sent: number[] = [];
  for (const [fd, server] of servers) {
    const handle = (server as { readonly _handle?: SendHandle | null })._handle ?? undefined;
    if (handle === undefined) continue;
    handles.send({ cmd: RETURN, fd } satisfies Return, handle, () => undefined);
    sent.push(fd);
  }
  return sent;
}

/** The listening sockets that a successor has sent back, by their descriptors in the successor. */
export class ReturnedSockets {
  readonly #handles = new Map<number, ListeningHandle>();
  #onArrival: () => void = () => undefined;
  #over = false;

  constructor(successor: ChildProcess) {
    successor.on('internalMessage', (message: ToPredecessor, handle?: ListeningHandle) => {
      if (message.cmd !== RETURN || handle === undefined) return;
      if (this.#over) return handle.close();
      this.#handles.set(message.fd, handle);
      this.#onArrival();
    });
  }

  /** Takes the handles out, when all of these have come. Undefined if they do not come. */
  async take(descriptors: readonly number[]): Promise<readonly ListeningHandle[] | undefined> {
    const deadline = new Deadline(PATIENCE_MS);
    const complete = new Promise<void>((done) => {
      this.#onArrival = () => {
        if (descriptors.every((fd) => this.#handles.has(fd))) done();
      };
      this.#onArrival();
    });
    const haveCome = (await deadline.bound(complete)) !== 'passed';
    deadline.clear();
    const taken = haveCome ? descriptors.map((fd) => this.#takeOut(fd)) : undefined;
    this.close();
    return taken;
  }

  /** Nobody wants them: those that have come are closed, and those that come later. */
  close(): void {
    this.#over = true;
    for (const handle of this.#handles.values()) handle.close();
    this.#handles.clear();
  }

  #takeOut(fd: number): ListeningHandle {
    const handle = this.#handles.get(fd)!;
    this.#handles.delete(fd);
    return handle;
  }
}
