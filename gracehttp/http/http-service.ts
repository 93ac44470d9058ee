import { type Server, type Socket } from 'node:net';
import { type Onward } from '../../lib/move/sender.js';
import { type Service } from '../../lib/socket/service.js';
import { closeIdle } from './close-idle.js';
import { type HttpConnections } from './http-connections.js';
import { MoveConnections } from './move-connections.js';
import { Http2Sessions } from './http2-sessions.js';
import { speaksHttp2 } from './speaks-http.js';

/** Drains the connections of an HTTP or HTTPS server. */
export class HttpService implements Service {
  readonly connections: HttpConnections;
  readonly #sessions: Http2Sessions | undefined;
  readonly #server: Server;
  readonly #idleTimeout: number;
  #moving: MoveConnections | undefined;
  #draining = false;
  #stopClosingIdle: (() => void) | undefined;

  /** @param idleTimeout - in milliseconds, see GraceOptions. */
  constructor(server: Server, connections: HttpConnections, idleTimeout: number) {
    this.#server = server;
    this.connections = connections;
    this.#idleTimeout = idleTimeout;
    this.#sessions = speaksHttp2(server) ? new Http2Sessions(server) : undefined;
    connections.closeWhen(() => this.#draining);
  }

  begin(onward?: Onward): void {
    if (!MoveConnections.possible(this.#server, onward)) return this.#endConnections();
    const { connections } = this;
    const moving = new MoveConnections(this.#server, connections, onward);
    this.#moving = moving;
    this.#closeIdle(() => moving.begun);
    onward.onChange(() => {
      if (!onward.open) this.#endConnections();
    });
  }

  async finished(): Promise<void> {
    await this.connections.none();
    this.#stop();
  }

  cutOff(): number {
    this.#stop();
    // A waiting connection may have sent its request already.
    let count = this.connections.waiting.size;
    for (const [, { inFlight, http1 }] of this.connections) if (inFlight || !http1) count += 1;
    this.connections.destroyAll();
    return count;
  }

  #stop(): void {
    this.#moving?.stop();
    this.#stopClosingIdle?.();
  }

  /** No connection can move: each one ends after its response, or when it is idle. */
  #endConnections(): void {
    const { connections } = this;
    this.#stop();
    this.#draining = true;
    this.#sessions?.close();
    connections.closeAfterResponses();
    this.#closeIdle(() => connections.served());
  }

  #closeIdle(sockets: () => Iterable<Socket>): void {
    this.#stopClosingIdle = closeIdle({ sockets, isIdle: (socket) => this.connections.isIdle(socket) }, this.#idleTimeout);
  }
}
