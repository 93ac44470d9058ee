import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';

/** A `WebSocketServer` of the package `ws`, version 8. */
export interface WebSocketServerLike<WebSocket extends object = object> {
  /** The options that it was made with. */
  readonly options: object;
  /** Its clients; undefined with `clientTracking: false`. */
  readonly clients?: Set<WebSocket>;
  /** As an EventEmitter has it. */
  on(event: 'connection', listener: (ws: WebSocket, request: IncomingMessage) => void): unknown;
}

/** What `ws` 8 has inside; every use is in this folder. */
export interface Inside {
  _socket: Socket | null;
  _readyState: number;
  _protocol: string;
  _extensions: object;
  _receiver: Partial<Record<'_state' | '_bufferedBytes' | '_fragmented', number>> & {
    _fragments?: unknown[];
    _loop?: boolean;
    writableLength: number;
  };
  _sender: Partial<Record<'_state' | '_bufferedBytes', number>> & { _queue?: unknown[] };
  readonly bufferedAmount: number;
  readonly isPaused: boolean;
  setSocket(socket: Socket, head: Buffer, options: object): void;
  close(code: number, reason: string): void;
  on(event: string, listener: () => void): unknown;
}

type Constructor = new (address: null, protocols: undefined, options: object) => Inside;

const OPEN = 1;
const CLOSED = 3;
/** The listeners that `ws` adds to a connection: socketOnClose, socketOnData, … */
const ADDED_BY_WS = /^socketOn/;

/**
 * Whether a client is between two messages in both directions, and nothing that was
 * sent or received waits. One that compresses has a context that cannot move.
 */
export function isBetweenMessages({ _readyState, _receiver, _sender, _extensions, bufferedAmount, isPaused }: Inside): boolean {
  if (_readyState !== OPEN || isPaused || bufferedAmount > 0 || Object.keys(_extensions).length > 0) return false;
  const received = _receiver._state === 0 && _receiver._bufferedBytes === 0 && _receiver._fragmented === 0;
  const waits = _receiver._loop !== false || _receiver._fragments?.length !== 0 || _receiver.writableLength > 0;
  const sent = _sender._state === 0 && _sender._bufferedBytes === 0 && _sender._queue?.length === 0;
  return received && !waits && sent;
}

/** Takes the connection away from a client. It does not emit 'close', because its user has not left; sending to it does nothing. */
export function detach(ws: Inside, socket: Socket): void {
  for (const event of ['close', 'data', 'end', 'error']) {
    for (const listener of socket.listeners(event) as (() => void)[]) {
      if (ADDED_BY_WS.test(listener.name)) socket.off(event, listener);
    }
  }
  ws._readyState = CLOSED;
}

/** A client on a connection whose handshake is done, as the server makes one. */
export function attach(wss: WebSocketServerLike, socket: Socket, head: Buffer, protocol: string): Inside {
  const { WebSocket } = wss.options as { WebSocket: Constructor };
  const ws = new WebSocket(null, undefined, wss.options);
  ws._protocol = protocol;
  ws.setSocket(socket, head, wss.options);
  wss.clients?.add(ws);
  ws.on('close', () => wss.clients?.delete(ws));
  return ws;
}
