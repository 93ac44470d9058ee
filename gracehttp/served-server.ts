import { type Server } from 'node:net';
import { type GraceListener } from '../lib/socket/listener.js';
import { PlainService, type Service } from '../lib/socket/service.js';
import { type Connections } from '../lib/socket/connections.js';
import { speaksHttp2 } from './http/http2.js';
import { HttpService } from './http/http-service.js';
import { Throttle, type ThrottleOptions } from './limit/connection-limit.js';

/** What a server is doing at this moment. */
export interface Traffic {
  /** Connections open, those that wait for a place among them. */
  readonly open: number;
  /** Of the open ones, those without an answer under way. 0 for other protocols than HTTP: it cannot be told. */
  readonly idle: number;
  /** Of the open ones, those that wait for a place. */
  readonly queued: number;
  /** Requests under way. 0 for other protocols than HTTP. */
  readonly inFlight: number;
  /** Connections accepted by this process so far. */
  readonly total: number;
  /** Connections that found no room in the queue. */
  readonly refused: number;
  /** The most connections at a time; `Infinity` without a limit. */
  readonly limit: number;
}

/** A server that serves. */
export class ServedServer {
  readonly server: Server;
  readonly listener: GraceListener;
  /** @internal */
  readonly service: Service;
  /** @internal */
  readonly throttle: Throttle;
  readonly #http: HttpService | undefined;
  #changed = false;

  /**
   * Made by {@link App.serve}.
   *
   * @param idleTimeout - in milliseconds, see GraceOptions.
   */
  constructor(server: Server, listener: GraceListener, options: ThrottleOptions, idleTimeout: number) {
    this.server = server;
    this.listener = listener;
    let connections: Connections<unknown>;
    if (speaksHttp(server)) {
      this.#http = new HttpService(server, idleTimeout);
      this.service = this.#http;
      connections = this.#http.connections;
    } else {
      const plain = new PlainService(server);
      this.service = plain;
      connections = plain.connections;
    }
    this.throttle = new Throttle(server, connections, options, (waiting) => this.#http?.makeRoom(waiting));
  }

  /**
   * Limits the connections at a time, or asks: see {@link Throttle.limit}. The
   * new limit holds in later generations too.
   *
   * @returns how many places are free; `Infinity` without a limit.
   * @throws GraceError `OPTION_INVALID`
   */
  limit(maximum?: number): number {
    const free = this.throttle.limit(maximum);
    if (maximum !== undefined && maximum >= 0) this.#changed = true;
    return free;
  }

  /** Whether {@link limit} has set the limit. */
  get limitChanged(): boolean {
    return this.#changed;
  }

  get traffic(): Traffic {
    const { size: open, accepted: total } = this.service.connections;
    const { queued, refused, maximum } = this.throttle;
    const inFlight = this.#http?.inFlight ?? 0;
    const idle = this.#http === undefined ? 0 : open - queued - inFlight;
    return { open, idle, queued, inFlight, total, refused, limit: maximum };
  }
}

/** `keepAliveTimeout` is http.Server's and https.Server's; asking by class would load TLS for servers without. */
export function speaksHttp(server: Server): boolean {
  return 'keepAliveTimeout' in server || speaksHttp2(server);
}
