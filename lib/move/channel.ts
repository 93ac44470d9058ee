import { type ChildProcess, type SendHandle } from 'node:child_process';

/** What Node.js keeps back until the handle that was sent last is acknowledged; null if none is. Not in the public types. */
interface HandleQueue {
  _handleQueue?: unknown[] | null;
}

/** Node.js answers each handle with one of these. */
const ACKNOWLEDGEMENTS: readonly unknown[] = ['NODE_HANDLE_ACK', 'NODE_HANDLE_NACK'];

/**
 * The channel to a child process, on which handles follow each other at once. Node.js
 * itself sends one and waits for the other process: on a busy machine each one took
 * as long as two processes wait for the processor, up to 17 ms. Raw handles need no such
 * order, because the kernel never puts the data of two of them into one read. In a Node.js
 * version that works in another way, they go one after the other.
 */
export class HandleChannel {
  readonly #process: ChildProcess;
  readonly #queue: HandleQueue;
  /** Handles that Node.js has not acknowledged. */
  #awaited = 0;

  constructor(process: ChildProcess) {
    this.#process = process;
    this.#queue = process as HandleQueue;
    process.on('internalMessage', ({ cmd }: { readonly cmd: unknown }) => {
      if (!ACKNOWLEDGEMENTS.includes(cmd)) return;
      this.#awaited -= 1;
      // At the next acknowledgement Node.js expects a queue.
      if (this.#awaited > 0) this.#queue._handleQueue ??= [];
    });
  }

  send(message: object, handle: SendHandle | undefined, onError: (error: Error) => void): void {
    const { _handleQueue: queue } = this.#queue;
    const isEmpty = Array.isArray(queue) && queue.length === 0;
    if (isEmpty) this.#queue._handleQueue = null;
    if (handle !== undefined) this.#awaited += 1;
    this.#process.send(message, handle, {}, (error) => {
      if (error === null) return;
      if (handle !== undefined) this.#awaited -= 1;
      onError(error);
    });
    if (isEmpty) this.#queue._handleQueue ??= queue;
  }
}
