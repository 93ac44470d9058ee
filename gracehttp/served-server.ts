import { type Server, type Socket } from 'node:net';
import { type Kept } from '../lib/move/kept.js';
import { type Handle, socketOf } from '../lib/move/handle.js';
import { type GraceListener } from '../lib/socket/listener.js';
import { PlainService, type Service } from '../lib/socket/service.js';
import { type Connections } from '../lib/socket/connections.js';
import { HttpConnections } from './http/http-connections.js';
import { type LongResponse, keepResponse } from './move/keep-response.js';
import { type HttpDetails, MoveConnections } from './http/move-connections.js';
import { type DrainTimes, HttpService } from './http/http-service.js';
import { speaksHttp } from './http/speaks-http.js';
import { ConnectionLimit } from './limit/connection-limit.js';
import { type LimitOptions } from './limit/limit-options.js';

/** What a server is doing at this moment. */
export interface Traffic {
  /** Open connections, including those that wait for a place. */
  readonly open: number;
  /** Open connections without a request in flight. 0 for protocols other than HTTP, as it is not known. */
  readonly idle: number;
  /** Open connections that wait for a place. */
  readonly queued: number;
  /** Requests in flight; with HTTP/2 each stream is one. 0 for protocols other than HTTP. */
  readonly inFlight: number;
  /** Connections that this process has accepted so far. */
  readonly total: number;
  /** Connections that this process has taken over from its predecessor; they are not in `total`. */
  readonly moved: number;
  /** Connections that were refused because the queue was full. */
  readonly refused: number;
  /** The limit on simultaneous connections; `Infinity` if there is no limit. */
  readonly limit: number;
}

/**
 * One server of an {@link App}.
 *
 * @example
 * import { serve } from 'ts-grace/gracehttp';
 *
 * const app = await serve({ handler: (request, response) => response.end('hello\n'), listen: ':8080', name: 'public' });
 * const { open, limit } = app.server('public').traffic;
 * console.log(open, limit); // 0 Infinity
 */
export class ServedServer {
  /** The server that was passed to `serve()`, or that was made for a handler. */
  readonly server: Server;
  /** Its listening socket. */
  readonly listener: GraceListener;
  /** @internal */
  readonly service: Service;
  /** @internal */
  readonly connectionLimit: ConnectionLimit;
  readonly #http: HttpConnections | undefined;
  #limitChanged = false;

  /**
   * @internal Made by {@link App.serve}.
   *
   * @param times - of a drain, see GraceOptions.
   */
  constructor(server: Server, listener: GraceListener, options: LimitOptions, times: DrainTimes) {
    this.server = server;
    this.listener = listener;
    let connections: Connections<unknown>;
    if (speaksHttp(server)) {
      this.#http = new HttpConnections(server);
      this.service = new HttpService(server, this.#http, times);
      connections = this.#http;
    } else {
      const plain = new PlainService(server);
      this.service = plain;
      connections = plain.connections;
    }
    this.connectionLimit = new ConnectionLimit(server, connections, options);
  }

  /**
   * Sets the limit on simultaneous connections, or asks for the free places. A
   * limit that was set is kept over restarts. If it is raised, waiting
   * connections are served, oldest first; if it is lowered, no connection is cut
   * off, and the number falls as connections close.
   *
   * @param maximum - simultaneous connections; 0 makes every new connection wait,
   * `Infinity` removes the limit. Without it, or with a negative number, nothing changes.
   * @returns the number of free places; `Infinity` if there is no limit.
   * @throws GraceError `OPTION_INVALID` for a fraction or `NaN`.
   */
  limit(maximum?: number): number {
    const free = this.connectionLimit.limit(maximum);
    if (maximum !== undefined && maximum >= 0) this.#limitChanged = true;
    return free;
  }

  /** @internal Whether {@link limit} has set the limit. */
  get limitChanged(): boolean {
    return this.#limitChanged;
  }

  /** @internal What is known of its connections; undefined if it does not speak HTTP. */
  get http(): HttpConnections | undefined {
    return this.#http;
  }

  /** @internal Whether a request that came on this connection is one to this server. */
  has(socket: Socket): boolean {
    return this.#http?.has(socket) === true;
  }

  /** @internal Whether connections of a predecessor can come to this server, see {@link adopt}. */
  get adopts(): boolean {
    return this.#http !== undefined && MoveConnections.takenBy(this.server);
  }

  /** @internal Serves a connection that comes from the predecessor. Throws if there is no place for it: then it ends in the predecessor. */
  adopt(handle: Handle, details: unknown): void {
    const { hasSpoken, waited } = details as HttpDetails;
    const limit = this.connectionLimit;
    const waits = waited !== undefined && !limit.hasPlace;
    if (waits ? !limit.mayWait : limit.isFull) {
      handle.close();
      throw new Error(`the limit of ${limit.maximum} connections is reached`);
    }
    const socket = socketOf(handle, this.server, waits);
    this.#http?.add(socket, true);
    if (waits) return limit.waitOn(socket, waited);
    limit.deliver(socket);
    this.#http?.arrived(socket, hasSpoken);
  }

  /** @internal */
  get speaksHttp(): boolean {
    return this.#http !== undefined;
  }

  /** @internal Serves a connection from inside of this process. It takes no place of a limit and is not counted. */
  deliverInner(socket: Socket): void {
    this.#http?.ignored.add(socket);
    this.connectionLimit.deliver(socket);
  }

  /** @internal A response that came from the predecessor is finished; the next request may come. */
  resumeHttp(socket: Socket): void {
    this.#http?.setUpgraded(socket, false);
    this.connectionLimit.deliver(socket);
    this.#http?.arrived(socket, true);
  }

  /** @internal How a response moves to the successor. */
  keepResponse(response: LongResponse, kind: string, leave: () => unknown): Kept | undefined {
    return this.#http && keepResponse(response, kind, leave, this.#http);
  }

  /** Counts of this moment. */
  get traffic(): Traffic {
    const { size: open, accepted: total, moved } = this.service.connections;
    const { queued, refused, maximum } = this.connectionLimit;
    const inFlight = this.#http?.inFlight ?? 0;
    const idle = this.#http === undefined ? 0 : open - queued - this.#http.busy;
    return { open, idle, queued, inFlight, total, moved, refused, limit: maximum };
  }
}
