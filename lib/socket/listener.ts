import { closeSync, existsSync } from 'node:fs';
import type net from 'node:net';
import { type Address, type BindableAddress, formatAddress } from '../address/address.js';
import { refuseClusterWorker } from '../check/cluster.js';
import { GraceError, messageOf } from '../errors.js';
import { type FileIdentity, type HandoffSocket, type Origin } from '../handoff/handoff-variable.js';
import { logger, warn } from '../log.js';
import { bindError, inheritedError } from './bind.js';
import { checkServer } from './check-server.js';
import { type ListenerOptions, type Source } from './listener-source.js';
import { closeListening, closeWhenQuiet, listening } from './accept/close-listening.js';
import { Replacement } from './replacement.js';
import { type TakeBack } from '../move/kept.js';
import { type Onward } from '../move/sender.js';
import { PlainService, type Service } from './service.js';
import { removeSocketFile } from './socket-file.js';

const log = logger('listener');

/** The backlog that Node.js uses by default. */
export const DEFAULT_BACKLOG = 511;
/** listen(2) reduces it to net.core.somaxconn, the longest queue that the machine allows. */
const KERNEL_MAXIMUM = 0x7fff_ffff;
/** setInterval() takes no more. */
const LONGEST_MS = 0x7fff_ffff;

/**
 * One listening socket, bound here or inherited. It outlives the process: the
 * successor gets the same socket, with the connections in its queue.
 *
 * @example
 * import net from 'node:net';
 * import { Grace } from 'ts-grace';
 *
 * const grace = new Grace();
 * const listener = await grace.listen('127.0.0.1:7000', { name: 'echo' });
 * await listener.serve(net.createServer((socket) => socket.pipe(socket)));
 * await grace.ready();
 * console.log(listener.name, listener.listening); // echo true
 */
export class GraceListener {
  /** The address that was asked for, as {@link formatAddress} writes it. */
  readonly asked: string;
  /** The name that was asked for, or the one that systemd gave. */
  readonly name: string | undefined;
  /** Where the socket comes from. */
  readonly origin: Origin;
  /** Length of the kernel's queue, as given to listen(2). */
  readonly backlog: number;
  #source: Source;
  /** systemd's name for the socket. A later version of the program may ask for it by that name. */
  readonly #passedName: string | undefined;
  #bound: BindableAddress | undefined;
  #file: FileIdentity | undefined;
  #server: net.Server | undefined;
  #service: Service | undefined;
  #waits: boolean;
  #opened = false;
  /** @internal Permissions of a socket file that is made. */
  readonly mode: number | undefined;
  #replacement: Replacement | undefined;
  #keepAlive: NodeJS.Timeout | undefined;

  /** Use {@link Grace.listen}. */
  constructor(source: Source, asked: Address, { name, backlog, mode, waits = false }: ListenerOptions) {
    this.#source = source;
    this.mode = mode;
    this.#waits = waits;
    this.asked = formatAddress(asked);
    if (source.kind === 'bound') {
      this.origin = 'bound';
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

  /** @internal The same, if it is known. */
  get bound(): BindableAddress | undefined {
    return this.#bound;
  }

  /** The descriptor; -1 if the platform has none. */
  get fd(): number {
    return this.#replacement?.fd ?? this.#source.socket.fd;
  }

  /** Whether the socket was passed to this process. The process that passed it may still have it. */
  get inherited(): boolean {
    return this.#source.kind === 'listening' ? this.#source.inherited : this.#source.kind === 'inherited';
  }

  /** The server that accepts on the socket, from {@link serve} on. */
  get server(): net.Server | undefined {
    return this.#server;
  }

  /** Whether this process accepts connections on the socket. */
  get listening(): boolean {
    return this.#server?.listening ?? false;
  }

  /**
   * Lets a server accept on this socket; fulfils when it does. In a successor
   * whose predecessor lives, the server accepts from {@link Grace.ready} on: a
   * connection that this process accepted earlier would be lost if it failed.
   *
   * @param service - how its connections are drained.
   * @throws GraceError `SERVER_INVALID` if the server is already listening,
   * `STATE_INVALID` if this socket already has a server, `ADDRESS_*` or
   * `INHERITANCE_INVALID` if listen(2) fails.
   */
  async serve(server: net.Server, service?: Service): Promise<void> {
    refuseClusterWorker();
    if (this.#server !== undefined) {
      throw new GraceError('STATE_INVALID', `${this.asked} already has a server`, { subject: 'listener', value: this.asked });
    }
    checkServer(server, this.asked, this.#source.kind === 'listening');
    this.#server = server;
    this.#service = service ?? new PlainService(server);
    // A server that listens keeps the process alive, so one that is about to listen has to do so too.
    if (this.#waits) this.#keepAlive = setInterval(() => undefined, LONGEST_MS);
    else await this.open();
  }

  /** @internal Accepts from now on, if there is a server. */
  async open(): Promise<void> {
    const server = this.#server;
    if (server === undefined || this.#opened) return;
    clearInterval(this.#keepAlive);
    try {
      await this.#listen(server);
      this.#opened = true;
    } catch (error) {
      this.#server = undefined;
      const { kind, socket } = this.#source;
      throw kind === 'bound' ? bindError(socket.address, error) : inheritedError(this.fd, this.asked, error);
    }
    const name = server.address();
    if (name !== null && typeof name === 'object') this.#bound = { kind: 'tcp', host: name.address, port: name.port };
    log('listening on %s, fd %d, backlog %d', this.address, this.fd, this.backlog);
  }

  /** @internal This process is ready: a server accepts at once, and the file of an inherited socket is this process's to remove. */
  own(): void {
    this.#waits = false;
    if (this.#source.kind !== 'bound') this.#file = this.#source.socket.file;
  }

  /** @internal Closes the socket without a drain, because the start failed. */
  release(): void {
    clearInterval(this.#keepAlive);
    this.#replacement?.close();
    const source = this.#source;
    if (this.#opened || source.kind === 'listening') closeListening(this.#server!);
    else if (source.kind === 'inherited') closeSync(source.socket.fd);
    else if (source.draft !== undefined) source.draft.discard();
    else source.socket.close();
    this.removeFile();
  }

  /** @internal What drains the connections of the server, from {@link serve} on. */
  get service(): Service | undefined {
    return this.#service;
  }

  /** @internal Begins the drain, see Service. */
  beginDrain(onward?: Onward, takeBack?: TakeBack, spread?: number): void {
    this.#service?.begin(onward, takeBack, spread);
  }

  /**
   * @internal Stops accepting.
   * @param last - whether no other process holds the socket. Then its queue is accepted first, because the kernel would reset it.
   */
  async stopAccepting(last: boolean): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    // A successor that stops before it accepts: it may be the only process that is left.
    if (last && this.inherited) await this.open().catch((error: Error) => log('%s', error.message));
    if (!this.#opened) return this.release();
    // Without its file nobody can connect to a unix socket.
    if (last) this.removeFile();
    await this.#replacement?.stopAccepting(last);
    // A successor gets the replacement, and not the socket that lost its file.
    if ((last || this.#replacement !== undefined) && server.listening)
      return closeWhenQuiet(server, this.origin === 'bound' ? this.backlog : undefined);
    closeListening(server);
  }

  /** @internal Accepts again after {@link stopAccepting}, on another descriptor of the socket, or on a new one. */
  async reopen(source: Source): Promise<void> {
    this.#replacement?.close();
    this.#replacement = undefined;
    this.#source = source;
    this.#opened = false;
    await this.open();
  }

  /** @internal Fulfils when no connection is left. */
  async drained(): Promise<void> {
    await this.#service?.finished();
  }

  /** @internal What a drain would wait for now. */
  inFlight(): { readonly unit: Service['unit']; readonly count: number } {
    return { unit: this.#service?.unit, count: this.#service?.inFlight?.() ?? 0 };
  }

  /** @internal The deadline, see Service. */
  cutOff(): number {
    this.#replacement?.close();
    if (this.#server !== undefined) closeListening(this.#server);
    return this.#service?.cutOff() ?? 0;
  }

  /** @internal The socket as it is described to a successor. */
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

  /** @internal Unlinks the socket file, if there is one and it is still ours. */
  removeFile(): void {
    const file = this.#file;
    if (file === undefined || this.#bound?.kind !== 'unix') return;
    this.#file = undefined;
    removeSocketFile(this.#bound.path, file);
  }

  /** @internal Makes the file of a unix socket again if somebody deleted it. A failure is a warning, as this process goes on serving. */
  async restoreFile(): Promise<void> {
    if (this.#file === undefined || this.#bound?.kind !== 'unix' || existsSync(this.#bound.path)) return;
    try {
      const replacement = await Replacement.open(this.#server!, this.#bound, this.mode, this.backlog);
      this.#replacement?.close();
      this.#replacement = replacement;
      this.#file = replacement.file;
      warn(`the socket file ${this.#bound.path} was deleted; it was made again`);
    } catch (error) {
      warn(`the socket file ${this.#bound.path} was deleted, and cannot be made again: ${messageOf(error)}`);
    }
  }

  async #listen(server: net.Server): Promise<void> {
    const source = this.#source;
    if (source.kind === 'listening') return source.accept();
    await listening(server, source.kind === 'bound' ? source.socket.target : source.socket.fd, this.backlog);
    if (source.kind !== 'bound' || source.draft === undefined) return;
    try {
      this.#file = source.draft.place();
    } catch (error) {
      closeListening(server);
      throw error;
    }
  }
}
