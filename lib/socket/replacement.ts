import net from 'node:net';
import { type UnixAddress } from '../address/address.js';
import { type FileIdentity } from '../handoff/handoff-variable.js';
import { closeListening, closeWhenQuiet, listening } from './accept/close-listening.js';
import { type Pausing } from './accept/gate.js';
import { bindSocketFile } from './socket-file.js';

/**
 * A new socket at the path of a unix socket whose file was deleted. The kernel
 * cannot give a socket its file back: link(2) needs a file that still exists, and
 * bind(2) works once. The old socket stays open, as clients may be in its queue;
 * the server gets the connections of both.
 */
export class Replacement {
  readonly fd: number;
  readonly file: FileIdentity;
  readonly #acceptor: net.Server;

  private constructor(acceptor: net.Server, fd: number, file: FileIdentity) {
    this.#acceptor = acceptor;
    this.fd = fd;
    this.file = file;
  }

  /** @throws GraceError `ADDRESS_*`, `NOT_A_SOCKET` */
  static async open(server: net.Server, address: UnixAddress, mode: number | undefined, backlog: number): Promise<Replacement> {
    const draft = await bindSocketFile(address, mode);
    const acceptor = acceptorFor(server);
    try {
      await listening(acceptor, draft.bound.target, backlog);
      return new Replacement(acceptor, draft.bound.fd, draft.place());
    } catch (error) {
      closeListening(acceptor);
      draft.discard();
      throw error;
    }
  }

  /** Stops accepting; see GraceListener.stopAccepting(). */
  async stopAccepting(last: boolean): Promise<void> {
    if (last) await closeWhenQuiet(this.#acceptor);
    else this.close();
  }

  close(): void {
    closeListening(this.#acceptor);
  }
}

/** A server that accepts as another one does, and gives it the connections. */
function acceptorFor(server: net.Server): net.Server {
  const owner = server as net.Server & Pausing & { readonly allowHalfOpen: boolean };
  const acceptor = net.createServer({ allowHalfOpen: owner.allowHalfOpen }, (socket) => server.emit('connection', socket));
  Object.defineProperty(acceptor, 'pauseOnConnect', {
    get: () => owner.pauseOnConnect,
    set: (value: boolean) => {
      owner.pauseOnConnect = value;
    },
  });
  return acceptor.on('error', (error) => server.emit('error', error));
}
