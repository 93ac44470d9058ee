import net, { type Server, type Socket } from 'node:net';
import { nextTurn } from '../../deadline.js';
import { logger } from '../../log.js';

const log = logger('listener');

/** A queue takes one more than its backlog. With a backlog of 0 the kernel answers by SYN cookies, and warns of an attack. */
const BACKLOG = 1;
const FILLING = BACKLOG + 1;
/** How often to try; each time, connections may come in between. */
const TRIES = 20;
/** These are accepted before the next try. */
const TURNS = 2;

/** What libuv has behind a server and a connection. Not in the public types. */
interface Handle {
  listen?: (backlog: number) => number;
  /** 0, or an error. */
  getpeername?: (out: object) => number;
}

/** The connections of this process to itself. */
export interface OwnConnections {
  /** Whether one that the server has accepted is one of them. */
  has(accepted: Socket): boolean;
  end(): void;
}

/**
 * Fills the queue of a listening TCP socket with connections of this process, so
 * that no other one is lost if it is closed in the same turn of the event loop: the
 * kernel resets what waits in the queue. If two fit into a queue for two, it has no others, and
 * the kernel takes no more: it drops their SYN, and clients that send it again are refused.
 *
 * If that does not work, as without a loopback interface, the queue is as it was.
 *
 * @param backlog - of the server.
 */
export async function fillQueue(server: Server, backlog: number): Promise<OwnConnections> {
  const own = new Map<string, Socket>();
  const end = (): void => own.forEach((socket) => socket.destroy());
  const has = ({ remoteAddress, remotePort }: Socket): boolean => own.has(`${remoteAddress} ${remotePort}`);
  const name = server.address();
  if (name === null || typeof name === 'string') return { has, end };
  for (let tries = 1; server.listening && tries <= TRIES; tries += 1) {
    const handle = handleOf(server);
    if (handle.listen === undefined) break;
    handle.listen(BACKLOG);
    const sockets = Array.from({ length: FILLING }, () => connectTo(name));
    // connect(2) is called in the next tick, and the kernel establishes a connection to this machine within the call.
    await new Promise<void>((done) => process.nextTick(done));
    for (const socket of sockets) if (socket.localPort !== undefined) own.set(`${socket.localAddress} ${socket.localPort}`, socket);
    if (sockets.every(isEstablished)) return { has, end };
    handle.listen(backlog);
    end();
    for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
  }
  log('the queue of %s could not be filled', name.address);
  return { has, end };
}

function connectTo({ address, port }: net.AddressInfo): Socket {
  const host = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;
  return net.connect({ host, port }).on('error', () => undefined);
}

/** Before that, connect(2) has not the address of the peer (ENOTCONN); Node.js itself hears of it a turn later. */
function isEstablished(socket: Socket): boolean {
  return handleOf(socket).getpeername?.({}) === 0;
}

function handleOf(owner: Server | Socket): Handle {
  return (owner as { readonly _handle?: Handle | null })._handle ?? {};
}
