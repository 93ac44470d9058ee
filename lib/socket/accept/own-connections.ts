import net, { type Server, type Socket } from 'node:net';
import { logger } from '../../log.js';

const log = logger('listener');

/** A queue takes one more than its backlog. With a backlog of 0 the kernel answers by SYN cookies, and warns of an attack. */
const BACKLOG = 1;
const FILLING = BACKLOG + 1;

/** What libuv has behind a server and a connection. Not in the public types. */
interface Handle {
  listen?: (backlog: number) => number;
  /** 0, or an error. */
  getpeername?: (out: object) => number;
}

/** Connections of this process to a server of its own, by which it knows that no other connection waits there. */
export class OwnConnections {
  readonly #server: Server;
  readonly #backlog: number;
  readonly #sockets = new Map<string, Socket>();

  /** @param backlog - of the server. */
  constructor(server: Server, backlog: number) {
    this.#server = server;
    this.#backlog = backlog;
  }

  /** Whether a connection that the server has accepted is one of these. */
  has({ remoteAddress, remotePort }: Socket): boolean {
    return this.#sockets.has(`${remoteAddress} ${remotePort}`);
  }

  /**
   * Fills the queue of a listening TCP socket, so that no other connection is lost if
   * it is closed in the same turn of the event loop: the
   * kernel resets what waits in the queue. If two fit into a queue for two, no others are in it, and
   * the kernel takes no more: it drops their SYN, and clients that send it again are refused.
   *
   * @returns false if others wait, or there is no loopback interface. Then the queue is as it was before.
   */
  async fill(): Promise<boolean> {
    const name = this.#server.address();
    const handle = handleOf(this.#server);
    if (name === null || typeof name === 'string' || handle.listen === undefined) return true;
    handle.listen(BACKLOG);
    const sockets = Array.from({ length: FILLING }, () => connectTo(name));
    // connect(2) is called in the next tick, and the kernel establishes a connection to this machine within the call.
    await new Promise<void>((done) => process.nextTick(done));
    for (const socket of sockets)
      if (socket.localPort !== undefined) this.#sockets.set(`${socket.localAddress} ${socket.localPort}`, socket);
    if (sockets.every(isEstablished)) return true;
    handle.listen(this.#backlog);
    this.end();
    log('others wait in the queue of %s', name.address);
    return false;
  }

  end(): void {
    for (const socket of this.#sockets.values()) socket.destroy();
  }
}

function connectTo({ address, port }: net.AddressInfo): Socket {
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  return net.connect({ host, port }).on('error', () => undefined);
}

/** Until a connection is established, getpeername(2) fails (ENOTCONN); Node.js itself learns of it a turn later. */
function isEstablished(socket: Socket): boolean {
  return handleOf(socket).getpeername?.({}) === 0;
}

function handleOf(owner: Server | Socket): Handle {
  return (owner as { readonly _handle?: Handle | null })._handle ?? {};
}
