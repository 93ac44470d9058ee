import { type Server } from 'node:net';
import { messageOf } from '../errors.js';
import { warn } from '../log.js';
import { type ListeningHandle } from '../move/returned-sockets.js';
import { openBindable } from '../socket/claim.js';
import { type GraceListener } from '../socket/listener.js';

/**
 * A second descriptor of a listening socket, for the case that this process has
 * to accept on it again. Nothing is accepted on it, and the kernel keeps the queue
 * as long as it is open. Meanwhile the server does not emit 'close': at that event a
 * program may end what it still needs.
 */
export class KeptSocket {
  readonly #listener: GraceListener;
  readonly #handle: ListeningHandle;
  readonly #letClose: () => void;

  constructor(listener: GraceListener, handle: ListeningHandle) {
    this.#listener = listener;
    this.#handle = handle;
    this.#letClose = listener.server === undefined ? () => undefined : holdClose(listener.server);
  }

  get listener(): GraceListener {
    return this.#listener;
  }

  /** Accepts again, if the server has stopped. */
  async resume(): Promise<void> {
    const { bound, asked, listening } = this.#listener;
    const handle = this.#handle;
    if (listening) return this.close();
    // Of a socket that was made in another network namespace, the path is not known.
    const address = bound ?? { kind: 'unix', path: asked };
    const socket = { target: handle, fd: handle.fd, address, close: () => handle.close() };
    await this.#listener.reopen({ kind: 'bound', socket, draft: undefined });
    this.#letClose();
  }

  close(): void {
    this.#handle.close();
    this.#letClose();
  }
}

/**
 * Accepts again on a socket that was not kept, because the successor did not want it: it is bound again. If that
 * fails, it is a warning, as this process serves on the others. A socket of systemd cannot be had again.
 */
export async function bindAgain(listener: GraceListener): Promise<void> {
  const { bound, mode, listening, server } = listener;
  if (listening || bound === undefined || server === undefined) return;
  try {
    await listener.reopen(await openBindable(bound, mode));
  } catch (error) {
    warn(`${listener.asked} stays closed after the restart was taken back, as the new version had dropped it: ${messageOf(error)}`);
  }
}

/** Holds the event 'close' of a server back. Returns a function that lets it come, if the server is still closed. */
function holdClose(server: Server): () => void {
  const { emit } = server;
  let holds = true;
  let came = false;
  const own = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'close' || !holds) return Reflect.apply(emit, server, [event, ...args]) as boolean;
    came = true;
    return true;
  };
  server.emit = own;
  return () => {
    holds = false;
    // If something else has replaced `emit` since, ours stays below that.
    if (server.emit === own) server.emit = emit;
    if (came && !server.listening) server.emit('close');
  };
}
