import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';
import { checkState } from '../../lib/move/kept.js';
import { type App } from '../app.js';
import { type Inside, type WebSocketServerLike, attach, detach, isBetweenMessages } from './web-socket.js';

/** Options of {@link moveWebSockets}. */
export interface MoveWebSocketsOptions<WebSocket extends object, State> {
  /**
   * What the successor has to know of a client: JSON of at most 64 KiB. Called at the
   * moment of the move. `request` is the one that opened the connection; undefined if
   * the client came from a predecessor.
   */
  readonly state: (ws: WebSocket, request: IncomingMessage | undefined) => State;
  /** Goes on with a client that came from the predecessor: adds the listeners of the program. Nothing has been received yet. */
  readonly restore: (ws: WebSocket, state: State) => void;
  /** A name for this server's clients, if the program has more than one such server. Default `ws`. */
  readonly kind?: string;
}

/** What moves with a client. */
interface Moved<State> {
  readonly protocol: string;
  readonly state: State;
}

/** 1012, "service restart": clients may connect again at once. */
const SERVICE_RESTART = 1012;
/** Clients that cannot move all connect again when they are closed. */
const CLOSE_AT_ONCE = 20;
const CLOSE_EVERY_MS = 20;

/**
 * Lets the clients of a `WebSocketServer` of `ws` 8 move to the successor at a
 * restart, between two messages: their connections are not closed. Clients that
 * cannot move get the close code 1012 when the drain deadline is near, spread over
 * time: those that compress (`permessage-deflate`), or never are between messages.
 *
 * In the old process a client that has moved leaves `wss.clients` without 'close',
 * because its user is still there. Call it before `app.serve()`.
 *
 * @throws GraceError `STATE_INVALID` after serve(); `OPTION_INVALID` for a kind that has an adopter.
 *
 * @example
 * import http from 'node:http';
 * import { App } from 'ts-grace/gracehttp';
 * import { moveWebSockets } from 'ts-grace/ws';
 * import { WebSocket, WebSocketServer } from 'ws';
 *
 * const app = new App();
 * const server = http.createServer();
 * const wss = new WebSocketServer({ server, perMessageDeflate: false });
 * const names = new Map<WebSocket, string>();
 * const join = (ws: WebSocket, name: string) => {
 *   names.set(ws, name);
 *   ws.on('message', (text) => ws.send(`${name}: ${text}`));
 * };
 * wss.on('connection', (ws, request) => join(ws, request.url ?? '/'));
 * moveWebSockets(app, wss, { state: (ws: WebSocket) => names.get(ws) ?? '/', restore: join });
 * await app.serve({ server, listen: ':8080' });
 */
export function moveWebSockets<WebSocket extends object, State>(
  app: App,
  wss: WebSocketServerLike<WebSocket>,
  { state, restore, kind = 'ws' }: MoveWebSocketsOptions<WebSocket, State>,
): void {
  const server = wss as WebSocketServerLike;
  const follow = (ws: WebSocket, request: IncomingMessage | undefined): void => {
    const client = ws as unknown as Inside;
    const socket = client._socket;
    // One that the program closed at once has none.
    if (socket === null) return;
    app.keep(socket, kind, (): Moved<State> | undefined => {
      if (!isBetweenMessages(client)) return undefined;
      const moved = { protocol: client._protocol, state: state(ws, request) };
      // It may throw: then the client stays, and gets the close code.
      checkState(moved);
      detach(client, socket);
      server.clients?.delete(ws);
      return moved;
    });
  };
  app.adopt<Socket, Moved<State>>(kind, (socket, moved, head) => {
    const ws = attach(server, socket, head, moved.protocol) as unknown as WebSocket;
    follow(ws, undefined);
    restore(ws, moved.state);
  });
  wss.on('connection', follow);
  const sayGoodbye = (): void => closeInSlices([...(server.clients ?? [])] as Inside[]);
  // For each drain anew: after a restart was taken back, `closing` may be another signal.
  app.on('draining', () => app.closing.addEventListener('abort', sayGoodbye));
}

function closeInSlices(clients: Inside[]): void {
  for (const client of clients.splice(0, CLOSE_AT_ONCE)) client.close(SERVICE_RESTART, 'service restart');
  if (clients.length > 0) setTimeout(() => closeInSlices(clients), CLOSE_EVERY_MS).unref();
}
