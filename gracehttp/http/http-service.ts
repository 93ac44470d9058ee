import { type Server } from 'node:net';
import { type Service } from '../../lib/socket/service.js';
import { closeIdle } from './close-idle.js';
import { type HttpConnections } from './http-connections.js';
import { Http2Sessions } from './http2-sessions.js';
import { speaksHttp2 } from './speaks-http.js';

/** Drains the connections of an HTTP or HTTPS server. */
export class HttpService implements Service {
  readonly connections: HttpConnections;
  readonly unit = 'request';
  readonly #sessions: Http2Sessions | undefined;
  readonly #idleTimeout: number;
  #draining = false;
  #stopClosingIdle: (() => void) | undefined;

  /** @param idleTimeout - in milliseconds, see GraceOptions. */
  constructor(server: Server, connections: HttpConnections, idleTimeout: number) {
    this.connections = connections;
    this.#idleTimeout = idleTimeout;
    this.#sessions = speaksHttp2(server) ? new Http2Sessions(server) : undefined;
    connections.closeWhen(() => this.#draining);
  }

  begin(): void {
    const { connections } = this;
    this.#draining = true;
    this.#sessions?.close();
    connections.closeAfterResponses();
    this.#stopClosingIdle = closeIdle(
      { sockets: () => connections.served(), isIdle: (socket) => connections.isIdle(socket) },
      this.#idleTimeout,
    );
  }

  async finished(): Promise<void> {
    await this.connections.none();
    this.#stopClosingIdle?.();
  }

  inFlight(): number {
    // A waiting connection may have sent its request already.
    let count = this.connections.waiting.size;
    for (const [, { inFlight, http1 }] of this.connections) if (inFlight || !http1) count += 1;
    return count;
  }

  cutOff(): number {
    this.#stopClosingIdle?.();
    const count = this.inFlight();
    this.connections.destroyAll();
    return count;
  }
}
