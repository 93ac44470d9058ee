import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Server, type Socket } from 'node:net';
import { type TLSSocket } from 'node:tls';
import { Connections } from '../../lib/socket/connections.js';
import { Http2Sessions } from '../http2/http2-sessions.js';
import { expectNoRequest, hasBegun } from './begun-requests.js';
import { closeAfterResponse } from './close-after-response.js';
import { type Exchange, type ExchangeHandler, currentResponse, followExchanges, isFollowed } from './exchange.js';
import { HttpConnection } from './http-connection.js';
import { lingerAfter } from './lingering-close.js';
import { speaksHttp2 } from './speaks-http.js';
import { underlyingSocket } from './underlying-socket.js';
import { onUpgrade } from './upgrade.js';

/** The timeouts of an http.Server that matter here. The buffer is an option from Node.js 24 on. */
interface KeepsAlive {
  readonly keepAliveTimeout?: number;
  readonly keepAliveTimeoutBuffer?: number;
}

/** How much longer Node.js keeps an idle connection than it says. */
const KEEP_ALIVE_BUFFER_MS = 1_000;

/** The open connections of an HTTP or HTTPS server, and the requests on them. */
export class HttpConnections extends Connections<HttpConnection> implements ExchangeHandler {
  /** Undefined if the server does not speak HTTP/2. */
  readonly sessions: Http2Sessions | undefined;
  readonly #server: Server;
  readonly #byTlsSocket = new WeakMap<Socket, HttpConnection>();
  /** TLS connections whose underlying connection is not known: it is one of those that have no `socket`. */
  readonly #apart = new Map<Socket, HttpConnection>();
  readonly #closeWhen = new Set<(connection: HttpConnection) => boolean>();
  /** Responses that close their connection if they are the last one. */
  readonly #changed = new WeakSet<ServerResponse>();
  #followers = 0;
  #stopFollowing: () => void = () => undefined;
  #onAnswered: (socket: Socket) => void = () => undefined;
  /** Whether every connection ends here. */
  #closing = false;
  readonly #isLast = (response: ServerResponse): boolean => this.#closesAfter(response);

  constructor(server: Server) {
    // An HTTP/2 server with TLS also speaks HTTP/1, if the program allows it.
    const http2 = speaksHttp2(server);
    const http1 = !http2 || 'setTicketKeys' in server;
    const secure = 'setSecureContext' in server;
    super(server, (socket) => new HttpConnection(secure ? undefined : socket, http1));
    this.#server = server;
    this.sessions = http2 ? new Http2Sessions(server) : undefined;
    server.on('secureConnection', (socket: TLSSocket) => this.#onSecure(socket));
    onUpgrade(server, ({ headers }, socket) => {
      const connection = this.#find(socket);
      const webSocket = headers.upgrade?.toLowerCase() === 'websocket' ? socket : undefined;
      if (connection !== undefined) Object.assign(connection, { http1: false, upgraded: true, webSocket });
    });
  }

  /** Requests in flight; with HTTP/2 each stream is one. */
  get inFlight(): number {
    return this.#inFlight1 + (this.sessions?.streams ?? 0);
  }

  /** Connections with a request in flight. */
  get busy(): number {
    return this.#inFlight1 + (this.sessions?.busy ?? 0);
  }

  /** Requests in flight, and connections that have left HTTP: in one go through all of them, because a drain begins with it. */
  get unfinished(): number {
    let count = this.sessions?.streams ?? 0;
    for (const { upgraded, socket } of this.notes()) if (upgraded || isAnswering(socket)) count += 1;
    for (const { upgraded, socket } of this.#apart.values()) if (upgraded || isAnswering(socket)) count += 1;
    return count;
  }

  /** What is known of each connection. */
  *each(): IterableIterator<HttpConnection> {
    yield* this.notes();
    yield* this.#apart.values();
  }

  /** The sockets that the server has; those that wait for a place are left out. */
  *served(): IterableIterator<Socket> {
    for (const [socket] of this) if (!this.waiting.has(socket)) yield socket;
    yield* this.#apart.keys();
  }

  /** The sockets that can move to a successor: those that wait for a place, and then those that have one. */
  *movable(): IterableIterator<Socket> {
    yield* this.waiting.keys();
    yield* this.served();
  }

  /** Whether a connection or TLS connection is one of this server. */
  has(socket: Socket): boolean {
    return this.#find(socket) !== undefined;
  }

  /** Whether an HTTP/1 connection has no request in flight; false if that is not known. */
  isIdle(socket: Socket): boolean {
    const connection = this.#find(socket);
    if (connection === undefined || !connection.http1 || connection.inFlight) return false;
    return this.#apart.size === 0 || connection.socket !== undefined;
  }

  /** Whether a connection has had a response, so that its client may keep it for the next request. */
  hasSpoken(socket: Socket): boolean {
    return this.#find(socket)?.hasSpoken === true;
  }

  /** Whether a connection has left HTTP, by `Upgrade` or `CONNECT`. */
  isUpgraded(socket: Socket): boolean {
    return this.#find(socket)?.upgraded === true;
  }

  /** Whether a response is the only one in flight, and no byte of a further request has been read. */
  isBetweenRequests(socket: Socket, response: ServerResponse): boolean {
    const connection = this.get(socket);
    return connection?.response === response && !connection.isPipelined && !hasBegun(this.#server, socket);
  }

  /** For a connection that comes from the predecessor after it has left HTTP, and for one that comes back to HTTP. */
  setUpgraded(socket: Socket, upgraded: boolean): void {
    Object.assign(this.get(socket) ?? {}, { http1: !upgraded, upgraded });
  }

  /**
   * Calls the handler when a response is finished, while Node.js still has to let go of it.
   *
   * @returns a function that ends that.
   */
  whenAnswered(handler: (socket: Socket) => void): () => void {
    this.#onAnswered = handler;
    const stopFollowing = this.#follow();
    return () => {
      this.#onAnswered = () => undefined;
      stopFollowing();
    };
  }

  /**
   * From now on, a response whose head is written while the condition holds is the last one on its connection.
   *
   * @returns a function that ends that.
   */
  closeWhen(condition: (connection: HttpConnection) => boolean): () => void {
    this.#closeWhen.add(condition);
    const stopFollowing = this.#follow();
    if (this.#closeWhen.size === 1) for (const connection of this.each()) this.#closeAfterCurrent(connection);
    return () => {
      if (this.#closeWhen.delete(condition)) stopFollowing();
    };
  }

  /** From now on, every response whose head is written is the last one on its connection. */
  closeAll(): () => void {
    this.#closing = true;
    const remove = this.closeWhen(() => true);
    return () => {
      this.#closing = false;
      remove();
    };
  }

  onRequest({ request, response, socket }: Exchange): void {
    const connection = this.#find(socket);
    if (connection === undefined) return;
    if (connection.isPipelined) connection.pipelines = true;
    if (this.#closeWhen.size > 0) this.#closeAfter(connection, request, response);
  }

  onResponse({ request, socket }: Exchange): void {
    this.#onAnswered(socket);
    const connection = this.#find(socket);
    // The request behind it may have come before the exchanges were followed. Node.js turns to it in the rest of this turn.
    if (connection !== undefined && isFollowed(request, socket)) process.nextTick(() => this.#closeAfterCurrent(connection));
  }

  /**
   * Follows a connection that comes from the predecessor, after the server has it.
   * If it has had a response, it is kept as long as after a response of this process.
   */
  arrived(socket: Socket, hasSpoken: boolean): void {
    const connection = this.get(socket);
    if (connection === undefined || !hasSpoken) return;
    connection.spokeBefore = true;
    const { keepAliveTimeout = 0, keepAliveTimeoutBuffer = KEEP_ALIVE_BUFFER_MS } = this.#server as KeepsAlive;
    expectNoRequest(socket, keepAliveTimeout > 0 ? keepAliveTimeout + keepAliveTimeoutBuffer : 0);
  }

  /** Requests of HTTP/1 in flight. Pipelined ones count as one. */
  get #inFlight1(): number {
    let count = 0;
    // Not through each(): with ten thousand connections that takes three times as long.
    for (const { socket } of this.notes()) if (isAnswering(socket)) count += 1;
    for (const { socket } of this.#apart.values()) if (isAnswering(socket)) count += 1;
    return count;
  }

  /** Follows the exchanges as long as somebody needs it. */
  #follow(): () => void {
    this.#followers += 1;
    if (this.#followers === 1) this.#stopFollowing = followExchanges(this.#server, this);
    return () => {
      this.#followers -= 1;
      if (this.#followers === 0) this.#stopFollowing();
    };
  }

  #closeAfterCurrent(connection: HttpConnection): void {
    const { response } = connection;
    if (response !== undefined && this.#closeWhen.size > 0) this.#closeAfter(connection, response.req, response);
  }

  #closeAfter(connection: HttpConnection, request: IncomingMessage, response: ServerResponse): void {
    if (this.#changed.has(response)) return;
    this.#changed.add(response);
    if (!response.headersSent) closeAfterResponse(response, this.#isLast);
    else if (!response.shouldKeepAlive) this.#linger(connection, request);
  }

  /** Of pipelined requests only the newest is the last one. */
  #closesAfter(response: ServerResponse): boolean {
    const { req: request } = response;
    const connection = this.#find(request.socket);
    if (connection === undefined || isFollowed(request, request.socket) || ![...this.#closeWhen].some((holds) => holds(connection)))
      return false;
    this.#linger(connection, request);
    return true;
  }

  /** If others wait for its place, only a client that pipelines is waited for. */
  #linger({ pipelines }: HttpConnection, request: IncomingMessage): void {
    lingerAfter(request, request.socket, this.#closing || pipelines);
  }

  #onSecure(socket: TLSSocket): void {
    const underlying = underlyingSocket(socket);
    const known = underlying === undefined ? undefined : this.get(underlying);
    const connection = known ?? new HttpConnection(socket, true);
    if (socket.alpnProtocol === 'h2') connection.http1 = false;
    if (known === undefined) {
      this.#apart.set(socket, connection);
      socket.once('close', () => this.#apart.delete(socket));
    } else {
      known.socket = socket;
      this.#byTlsSocket.set(socket, known);
    }
  }

  #find(socket: Socket): HttpConnection | undefined {
    return this.get(socket) ?? this.#byTlsSocket.get(socket) ?? this.#apart.get(socket);
  }
}

/** Without the getters of a connection: with ten thousand of them the calls take most of the time. */
function isAnswering(socket: Socket | undefined): boolean {
  return socket !== undefined && currentResponse(socket) !== undefined;
}
