import { type Server, type Socket } from 'node:net';
import { type TLSSocket } from 'node:tls';
import { Connections } from '../../lib/socket/connections.js';
import { expectNoRequest } from './begun-requests.js';
import { type Exchange, type ExchangeHandler, followExchanges } from './exchange.js';
import { HttpConnection } from './http-connection.js';
import { speaksHttp2 } from './speaks-http.js';
import { underlyingSocket } from './underlying-socket.js';
import { onUpgrade } from './upgrade.js';

/** The timeouts of an http.Server that matter here. The buffer is an option from Node.js 24 on. */
interface KeepsAlive {
  readonly keepAliveTimeout?: number;
  readonly keepAliveTimeoutBuffer?: number;
  readonly timeout?: number;
}

/** How much longer than it says Node.js keeps an idle connection. */
const KEEP_ALIVE_BUFFER_MS = 1_000;

/** The open connections of an HTTP or HTTPS server, and the requests on them. */
export class HttpConnections extends Connections<HttpConnection> implements ExchangeHandler {
  /** Called when a response is finished, while Node.js still has to let go of it. */
  onAnswered: (socket: Socket) => void = () => undefined;
  readonly #byTlsSocket = new WeakMap<TLSSocket, HttpConnection>();
  readonly #closeWhen: (() => boolean)[] = [];
  readonly #server: Server;
  #seesTls = true;

  constructor(server: Server) {
    // An HTTP/2 server with TLS also speaks HTTP/1, if the program allows it.
    const http1 = !speaksHttp2(server) || 'setTicketKeys' in server;
    super(server, () => new HttpConnection(http1));
    this.#server = server;
    server.on('secureConnection', (socket: TLSSocket) => this.#onSecure(socket));
    followExchanges(server, this);
    onUpgrade(server, (_, socket) => {
      const connection = this.#find(socket);
      if (connection !== undefined) connection.http1 = false;
    });
  }

  /** Requests in flight. */
  get inFlight(): number {
    let count = 0;
    for (const [, connection] of this) if (connection.inFlight) count += 1;
    return count;
  }

  /** The sockets that the server has; those that wait for a place are left out. */
  *served(): IterableIterator<Socket> {
    for (const [socket] of this) if (!this.waiting.has(socket)) yield socket;
  }

  /** Whether an HTTP/1 connection has no request in flight; false if that is not known. */
  isIdle(socket: Socket): boolean {
    const connection = this.get(socket);
    return this.#seesTls && connection !== undefined && connection.http1 && !connection.inFlight;
  }

  /** Closes every connection that has a request in flight after its response. */
  closeAfterResponses(): void {
    for (const [, connection] of this) connection.closeAfterResponse();
  }

  /** From now on, a request that starts while the condition holds is the last one on its connection. */
  closeWhen(condition: () => boolean): void {
    this.#closeWhen.push(condition);
  }

  onRequest({ request, response, socket }: Exchange): void {
    const connection = this.#find(socket);
    if (connection === undefined) return;
    connection.requestStarted(request, response);
    if (connection.timesOut) this.#endTimeout(connection, socket);
    if (this.#closeWhen.some((holds) => holds())) connection.closeAfterResponse();
  }

  onResponse({ response, socket }: Exchange): void {
    this.#find(socket)?.responseFinished(response);
    this.onAnswered(socket);
  }

  /**
   * Follows a connection that comes from the predecessor, after the server has it.
   * If it has had a response, it is kept as long as after a response of this process.
   */
  arrived(socket: Socket, hasSpoken: boolean): void {
    const connection = this.get(socket);
    if (connection === undefined || !hasSpoken) return;
    connection.hasSpoken = true;
    expectNoRequest(socket);
    const { keepAliveTimeout = 0, keepAliveTimeoutBuffer = KEEP_ALIVE_BUFFER_MS } = this.#server as KeepsAlive;
    if (keepAliveTimeout === 0) return;
    connection.timesOut = true;
    socket.setTimeout(keepAliveTimeout + keepAliveTimeoutBuffer);
  }

  #endTimeout(connection: HttpConnection, socket: Socket): void {
    connection.timesOut = false;
    socket.setTimeout((this.#server as KeepsAlive).timeout ?? 0);
  }

  #onSecure(socket: TLSSocket): void {
    const underlying = underlyingSocket(socket);
    const connection = underlying && this.get(underlying);
    if (connection === undefined) {
      this.#seesTls = false;
      return;
    }
    if (socket.alpnProtocol === 'h2') connection.http1 = false;
    this.#byTlsSocket.set(socket, connection);
  }

  #find(socket: Socket): HttpConnection | undefined {
    return this.get(socket) ?? this.#byTlsSocket.get(socket as TLSSocket);
  }
}
