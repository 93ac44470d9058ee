import { type IncomingMessage, type ServerResponse } from 'node:http';
import { type Server, type Socket } from 'node:net';
import { type TLSSocket } from 'node:tls';
import { Connections } from '../../lib/socket/connections.js';
import { type Service } from '../../lib/socket/service.js';
import { type Exchange, type ExchangeHandler, followExchanges } from './exchange.js';
import { Http2Sessions, speaksHttp2 } from './http2.js';
import { endIdle } from './close-idle.js';
import { makeLast } from './last-answer.js';
import { lingerOverUpload } from './linger.js';
import { connectionBelow } from './below-tls.js';
import { onUpgrade } from './upgraded.js';

/**
 * How long a connection may be idle while others wait for its place. Shorter is
 * fairer; longer ends fewer just when their clients send the next request.
 */
const IDLE_BESIDE_WAITING_MS = 500;

/** What is remembered of a connection. */
interface Note {
  /** The newest request and its answer; older ones are answered before it, so it stands for them all. */
  request: IncomingMessage | undefined;
  response: ServerResponse | undefined;
  /** Gives the newest answer its keep-alive back. */
  takeBack: (() => void) | undefined;
  /** Whether it speaks HTTP/1: not after an upgrade, and not where TLS agreed on HTTP/2. */
  http1: boolean;
  /** Whether it has brought a request. */
  spoke: boolean;
}

/** The connections of an HTTP or HTTPS server, followed from the first on, and how they are brought to their end. */
export class HttpService implements Service, ExchangeHandler {
  readonly connections: Connections<Note>;
  readonly #secured = new WeakMap<TLSSocket, Note>();
  readonly #sessions: Http2Sessions | undefined;
  readonly #idleTimeout: number;
  #seesTls = true;
  #draining = false;
  #stopEndingIdle: (() => void) | undefined;
  #stopMakingRoom: (() => void) | undefined;

  /** @param idleTimeout - in milliseconds, see GraceOptions. */
  constructor(server: Server, idleTimeout: number) {
    this.#idleTimeout = idleTimeout;
    const http2 = speaksHttp2(server);
    const http1 = !http2 || 'setTicketKeys' in server;
    this.connections = new Connections(server, () => ({
      request: undefined,
      response: undefined,
      takeBack: undefined,
      http1,
      spoke: false,
    }));
    this.#sessions = http2 ? new Http2Sessions(server) : undefined;
    server.on('secureConnection', (socket: TLSSocket) => this.#onSecure(socket));
    followExchanges(server, this);
    onUpgrade(server, (_, socket) => {
      const note = this.#find(socket);
      if (note !== undefined) note.http1 = false;
    });
  }

  begin(): void {
    this.#draining = true;
    this.#sessions?.begin();
    this.#makeAllLast();
    this.#stopEndingIdle = endIdle(
      {
        sockets: () => this.#sockets(),
        isIdle: (socket) => this.#isIdle(socket),
      },
      this.#idleTimeout,
    );
  }

  /**
   * While connections wait for a place, those that have one leave it after their
   * answer, and those that had an answer and do nothing are ended.
   */
  makeRoom(waiting: boolean): void {
    this.#stopMakingRoom?.();
    this.#stopMakingRoom = undefined;
    if (!waiting) return;
    this.#makeAllLast();
    this.#stopMakingRoom = endIdle(
      {
        sockets: () => this.#sockets(),
        isIdle: (socket) => this.#isIdle(socket) && this.connections.get(socket)?.spoke === true,
        atMost: () => this.connections.waiting.size,
      },
      IDLE_BESIDE_WAITING_MS,
    );
  }

  /** Connections with an answer to be written. */
  get inFlight(): number {
    let count = 0;
    for (const [, note] of this.connections) if (isUnderWay(note)) count += 1;
    return count;
  }

  async finished(): Promise<void> {
    await this.connections.none();
    this.#stopEndingIdle?.();
    this.#stopMakingRoom?.();
  }

  cutOff(): number {
    this.#stopEndingIdle?.();
    this.#stopMakingRoom?.();
    // What waits for a place may have sent its request.
    let count = this.connections.waiting.size;
    for (const [, note] of this.connections) if (isUnderWay(note) || !note.http1) count += 1;
    this.connections.destroyAll();
    return count;
  }

  #onSecure(socket: TLSSocket): void {
    const below = connectionBelow(socket);
    const note = below && this.connections.get(below);
    if (note === undefined) {
      this.#seesTls = false;
      return;
    }
    if (socket.alpnProtocol === 'h2') note.http1 = false;
    this.#secured.set(socket, note);
  }

  begun({ request, response, socket }: Exchange): void {
    const note = this.#find(socket);
    if (note === undefined) return;
    // A request that was sent behind another without waiting: the one before is not the last any more.
    if (isUnderWay(note)) note.takeBack?.();
    note.takeBack = undefined;
    note.spoke = true;
    note.request = request;
    note.response = response;
    if (this.#draining || this.connections.waiting.size > 0) this.#makeLast(note);
  }

  #makeAllLast(): void {
    for (const [, note] of this.connections) if (isUnderWay(note)) this.#makeLast(note);
  }

  /** Lets go of what was answered: an idle connection should cost no more than Node.js itself keeps of it. */
  answered({ response, socket }: Exchange): void {
    const note = this.#find(socket);
    if (note?.response !== response) return;
    note.request = undefined;
    note.response = undefined;
    note.takeBack = undefined;
  }

  #makeLast(note: Note): void {
    const { request, response } = note;
    if (request === undefined || response === undefined || note.takeBack !== undefined) return;
    note.takeBack = makeLast(response);
    lingerOverUpload(request, request.socket);
  }

  #find(socket: Socket): Note | undefined {
    return this.connections.get(socket) ?? this.#secured.get(socket as TLSSocket);
  }

  *#sockets(): IterableIterator<Socket> {
    const { waiting } = this.connections;
    for (const [socket] of this.connections) if (!waiting.has(socket)) yield socket;
  }

  #isIdle(socket: Socket): boolean {
    const note = this.connections.get(socket);
    return this.#seesTls && note !== undefined && note.http1 && !isUnderWay(note);
  }
}

/** Whether an answer is still to be written, or on its way out of this process. */
function isUnderWay({ response }: Note): boolean {
  return response !== undefined && !response.writableFinished && !response.destroyed;
}
