import { type IncomingMessage, type Server } from 'node:http';
import { type App, type DrainReason } from 'ts-grace/gracehttp';
import { moveWebSockets } from 'ts-grace/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import { isForeign } from './same-origin.js';
import { type News } from './news.js';
import { type FromServer } from './page/messages.js';

/** A page asks for one letter at a time. */
const MAX_MESSAGE_BYTES = 64;
/** Close code of WebSockets, RFC 6455. */
const GOING_AWAY = 1001;
const FORBIDDEN = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n';

/** What moves with a WebSocket. */
interface Client {
  /** Whether it gets notices; the hundred that a page opens do not. */
  readonly listens: boolean;
}

/** The WebSockets of the page: they answer each message with a pong, tell what happens, and move at a restart. */
export class Sockets {
  readonly #app: App;
  readonly #news: News;
  readonly #clients = new Map<WebSocket, Client>();
  readonly #wss = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });

  constructor(app: App, news: News) {
    this.#app = app;
    this.#news = news;
    this.#wss.on('connection', (ws: WebSocket, request: IncomingMessage) => this.#join(ws, { listens: request.url === '/socket' }));
    moveWebSockets<WebSocket, Client>(app, this.#wss, {
      state: (ws) => this.#clients.get(ws) ?? { listens: false },
      restore: (ws, client) => this.#join(ws, client),
    });
    news.onNotice = (notice) => {
      for (const ws of this.#wss.clients) {
        if (this.#clients.get(ws)?.listens === true) send(ws, { type: 'notice', now: Date.now(), notice });
      }
    };
  }

  /** Answers the upgrade requests of a server. */
  serve(server: Server): Server {
    return server.on('upgrade', (request, socket, head) => {
      if (isForeign(request)) socket.end(FORBIDDEN);
      else this.#wss.handleUpgrade(request, socket, head, (ws) => this.#wss.emit('connection', ws, request));
    });
  }

  /** At a restart they move; when the server stops they have to leave. */
  leave(reason: DrainReason): void {
    if (reason === 'stop') for (const ws of this.#wss.clients) ws.close(GOING_AWAY);
  }

  #join(ws: WebSocket, client: Client): void {
    const { pid } = process;
    const { generation } = this.#app;
    this.#clients.set(ws, client);
    ws.on('message', () => send(ws, { type: 'pong', pid, generation }));
    ws.on('close', () => this.#clients.delete(ws));
    ws.on('error', () => ws.terminate());
    send(ws, { type: 'hello', pid, generation, now: Date.now(), history: client.listens ? this.#news.history : [] });
  }
}

function send(ws: WebSocket, message: FromServer): void {
  ws.send(JSON.stringify(message));
}
