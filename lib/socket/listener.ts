import { type Cluster } from 'node:cluster';
import { closeSync } from 'node:fs';
import net from 'node:net';
import { type Address, type BindableAddress, formatAddress } from '../address/address.js';
import { type BoundSocket, bindError } from './bind.js';
import { GraceError } from '../errors.js';
import { Hold } from './hold.js';
import { logger } from '../log.js';
import { type InheritedSocket } from '../address/match.js';
import { type FileIdentity, type HandoffSocket, type Origin } from '../handoff/protocol.js';
import { PlainService, type Service } from './service.js';
import { type DraftSocket, removeSocketFile } from './socket-file.js';
import { nextTurn } from '../turn.js';

const log = logger('listener');

/** What Node.js asks listen(2) for where nothing is said. */
export const DEFAULT_BACKLOG = 511;
/** listen(2) clamps it to net.core.somaxconn: the widest queue that the machine allows. */
const KERNEL_MAXIMUM = 0x7fff_ffff;
/** A final stop accepts until so many turns of the event loop in a row brought no connection, … */
const QUIET_TURNS = 8;
/** … or until this is over. */
const QUIET_WITHIN_MS = 1_000;

/** Where a listener's socket comes from: bound here, or passed to this process. */
export type Source =
  | { readonly kind: 'bound'; readonly socket: BoundSocket; readonly draft: DraftSocket | undefined }
  | { readonly kind: 'inherited'; readonly socket: InheritedSocket };

/**
 * One listening socket, bound here or inherited. It outlives the process: a
 * successor gets the socket itself, with all that waits in its queue.
 */
export class GraceListener {
  /** The address that was asked for, as {@link formatAddress} writes it. */
  readonly asked: string;
  /** The name that was asked for, or the one that systemd gave. */
  readonly name: string | undefined;
  readonly origin: Origin;
  /** Length of the kernel's queue that listen(2) is asked for. */
  readonly backlog: number;
  readonly #source: Source;
  /** systemd's name for the socket, by which a later version of the program may ask for it. */
  readonly #passedName: string | undefined;
  #bound: BindableAddress | undefined;
  #file: FileIdentity | undefined;
  #server: net.Server | undefined;
  #service: Service | undefined;

  /** Made by {@link Grace.listen}. */
  constructor(source: Source, asked: Address, name: string | undefined, backlog: number | undefined) {
    this.#source = source;
    this.asked = formatAddress(asked);
    if (source.kind === 'bound') {
      this.origin = 'bound';
      this.#passedName = undefined;
      this.name = name;
      this.#bound = source.socket.address;
      this.backlog = backlog ?? DEFAULT_BACKLOG;
    } else {
      const { socket } = source;
      this.origin = socket.origin;
      this.#passedName = socket.origin === 'systemd' ? socket.name : undefined;
      this.name = name ?? socket.name;
      this.#bound = socket.bound;
      // The backlog that another program chose cannot be read; listen(2) must not shrink it.
      this.backlog = socket.backlog === undefined ? (backlog ?? KERNEL_MAXIMUM) : Math.max(socket.backlog, backlog ?? 0);
    }
  }

  /** The address that the socket is bound to, port 0 resolved: `[::]:8080`, `127.0.0.1:80`, `unix:/path`. */
  get address(): string {
    return this.#bound === undefined ? this.asked : formatAddress(this.#bound);
  }

  /** The descriptor; -1 where the platform has none. */
  get fd(): number {
    return this.#source.socket.fd;
  }

  /** Whether the socket was passed to this process; its holder may have it still. */
  get inherited(): boolean {
    return this.#source.kind === 'inherited';
  }

  /** What accepts on the socket, from {@link serve} on. */
  get server(): net.Server | undefined {
    return this.#server;
  }

  /** Whether this process accepts connections on the socket. */
  get listening(): boolean {
    return this.#server?.listening ?? false;
  }

  /**
   * Lets a server accept on this socket; fulfils when it does.
   *
   * @param service - how its connections are brought to their end.
   * @throws GraceError `SERVER_INVALID` where the server listens already,
   * `STATE_INVALID` where this socket has a server, `ADDRESS_*` or
   * `INHERITANCE_INVALID` where listen(2) refuses.
   */
  async serve(server: net.Server, service?: Service): Promise<void> {
    if (this.#server !== undefined) {
      throw new GraceError('STATE_INVALID', `${this.asked} is served already`, { subject: 'listener', value: this.asked });
    }
    if (server.listening) {
      throw new GraceError('SERVER_INVALID', `the server for ${this.asked} listens already`, { subject: 'server' });
    }
    this.#server = server;
    this.#service = service ?? new PlainService(server);
    try {
      await this.#listen(server);
    } catch (error) {
      this.#server = undefined;
      throw this.#listenError(error);
    }
    const name = server.address();
    if (name !== null && typeof name === 'object') this.#bound = { kind: 'tcp', host: name.address, port: name.port };
    log('listening on %s, fd %d, backlog %d', this.address, this.fd, this.backlog);
  }

  /** @internal Makes an inherited socket file this process's own: it has said that it is ready. */
  own(): void {
    if (this.#source.kind === 'inherited') this.#file = this.#source.socket.file;
  }

  /** @internal Closes a socket whose connections are nobody's concern: the start failed. */
  release(): void {
    if (this.#server !== undefined) {
      closeListening(this.#server);
    } else if (this.#source.kind === 'inherited') {
      closeSync(this.#source.socket.fd);
    } else if (this.#source.draft !== undefined) {
      this.#source.draft.discard();
    } else {
      this.#source.socket.close();
    }
    this.removeFile();
  }

  /** @internal The begin of a drain: see Service. */
  beginDrain(): void {
    this.#service?.begin();
  }

  /**
   * @internal Stops accepting.
   * @param last - whether no other process holds the socket. Then the kernel
   * would reset what waits in its queue, so that is accepted before.
   */
  async stopAccepting(last: boolean): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    if (last) {
      // Nobody finds a unix socket without its file, so this alone ends the coming of new ones.
      this.removeFile();
      if (server.listening) return closeWhenQuiet(server);
    }
    closeListening(server);
  }

  /** @internal Fulfils when no connection is left. */
  async drained(): Promise<void> {
    await this.#service?.finished();
  }

  /** @internal The deadline: see Service. */
  cutOff(): number {
    if (this.#server !== undefined) closeListening(this.#server);
    return this.#service?.cutOff() ?? 0;
  }

  /** @internal The socket as it goes to a successor. */
  describe(): HandoffSocket {
    return {
      fd: this.fd,
      name: this.#passedName ?? this.name,
      asked: this.asked,
      bound: this.#bound,
      backlog: this.backlog,
      origin: this.origin,
      file: this.#file,
    };
  }

  /** @internal Unlinks the socket file, where there is one of ours and it is still the same. */
  removeFile(): void {
    const file = this.#file;
    if (file === undefined || this.#bound?.kind !== 'unix') return;
    this.#file = undefined;
    removeSocketFile(this.#bound.path, file);
  }

  async #listen(server: net.Server): Promise<void> {
    if ((process.getBuiltinModule('node:cluster') as unknown as Cluster).isWorker) {
      throw new GraceError('RUNTIME_UNSUPPORTED', 'a cluster worker has no sockets of its own to hand over', {
        subject: 'cluster.isWorker',
        value: true,
      });
    }
    const source = this.#source;
    await listening(server, source.kind === 'bound' ? source.socket.target : { fd: source.socket.fd }, this.backlog);
    if (source.kind !== 'bound' || source.draft === undefined) return;
    try {
      this.#file = source.draft.place();
    } catch (error) {
      closeListening(server);
      throw error;
    }
  }

  #listenError(cause: unknown): GraceError {
    if (cause instanceof GraceError) return cause;
    if (this.#source.kind === 'bound') return bindError(this.#source.socket.address, cause);
    return new GraceError(
      'INHERITANCE_INVALID',
      `cannot listen on the inherited descriptor ${this.fd} for ${this.asked}: ${(cause as Error).message}`,
      { subject: 'fd', value: this.fd, cause },
    );
  }
}

/** `listen(target, backlog)`: the form in which Node.js honours the backlog for descriptors and bound sockets alike. */
function listening(server: net.Server, target: object, backlog: number): Promise<void> {
  return new Promise((done, fail) => {
    const onListening = (): void => {
      server.off('error', onError);
      done();
    };
    const onError = (error: Error): void => {
      server.off('listening', onListening);
      fail(error);
    };
    server.once('listening', onListening).once('error', onError);
    server.listen(target, backlog);
  });
}

/** Closes the listening socket and nothing else; http.Server's own close() drops idle connections at once. */
function closeListening(server: net.Server): void {
  if (server.listening) net.Server.prototype.close.call(server);
}

/**
 * Node.js accepts one connection a turn of the event loop, so a few turns
 * without one mean an empty queue. What comes is not read meanwhile: every
 * answer would bring the next connection of its client, and the queue never end.
 */
async function closeWhenQuiet(server: net.Server): Promise<void> {
  const hold = new Hold(server);
  const end = performance.now() + QUIET_WITHIN_MS;
  for (let quiet = 0; quiet < QUIET_TURNS && performance.now() < end; ) {
    const before = hold.count;
    await nextTurn();
    quiet = hold.count === before ? quiet + 1 : 0;
  }
  closeListening(server);
  log('accepted %d more before closing', hold.count);
  await hold.letGo();
}
