import { type SendHandle } from 'node:child_process';

/** A process at the other end of a channel: a ChildProcess, or what this process itself is to its parent. */
export interface Peer {
  readonly connected: boolean;
  send(message: object, handle: SendHandle | undefined, options: object, onSent: (error: Error | null) => void): unknown;
  on<Message>(event: 'internalMessage' | 'disconnect', handler: (message: Message) => void): unknown;
  disconnect(): void;
  /** What Node.js keeps back until the handle that was sent last is acknowledged; null if none is. Not in the public types. */
  _handleQueue?: unknown[] | null | undefined;
}

/** Node.js answers each handle with one of these. */
const ACKNOWLEDGEMENTS: readonly unknown[] = ['NODE_HANDLE_ACK', 'NODE_HANDLE_NACK'];

/**
 * The channel to another process, on which handles follow each other at once. Node.js
 * itself sends one and waits for the other process: on a busy machine each one took
 * as long as two processes wait for the processor, up to 17 ms. Raw handles need no such
 * order, because the kernel never puts the data of two of them into one read. In a Node.js
 * version that works in another way, they go one after the other.
 */
export class HandleChannel {
  readonly #peer: Peer;
  /** Handles that Node.js has not acknowledged. */
  #awaited = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
    peer.on('internalMessage', ({ cmd }: { readonly cmd: unknown }) => {
      if (!ACKNOWLEDGEMENTS.includes(cmd)) return;
      this.#awaited -= 1;
      // At the next acknowledgement Node.js expects a queue.
      if (this.#awaited > 0) this.#peer._handleQueue ??= [];
    });
  }

  /** @param onSent - the message has left this process, or cannot. */
  send(message: object, handle: SendHandle | undefined, onSent: (error: Error | null) => void): void {
    const { _handleQueue: queue } = this.#peer;
    const isEmpty = Array.isArray(queue) && queue.length === 0;
    if (isEmpty) this.#peer._handleQueue = null;
    if (handle !== undefined) this.#awaited += 1;
    this.#peer.send(message, handle, {}, (error) => {
      if (error !== null && handle !== undefined) this.#awaited -= 1;
      onSent(error);
    });
    if (isEmpty) this.#peer._handleQueue ??= queue;
  }
}
