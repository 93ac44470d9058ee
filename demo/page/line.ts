import { type FromServer } from './messages.js';

const OPEN_AGAIN_MS = 500;
/** Between two attempts, when nobody answers. */
const MAX_WAIT_MS = 4_000;

export interface LineOptions {
  readonly path: string;
  /** Milliseconds between two messages to the server. */
  readonly every: number;
  readonly onMessage: (message: FromServer) => void;
  /** It was closed, and not by {@link Line.close}; it will be opened again. */
  readonly onLost: () => void;
}

/** A WebSocket that is opened again if it closes. */
export class Line {
  readonly #options: LineOptions;
  #socket: WebSocket | undefined;
  #timer = 0;
  #closed = false;
  #wait = OPEN_AGAIN_MS;

  constructor(options: LineOptions) {
    this.#options = options;
    this.#open();
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#socket?.close();
  }

  #open(): void {
    if (this.#closed) return;
    const { path, every, onMessage, onLost } = this.#options;
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${path}`);
    let opened = false;
    this.#socket = socket;
    socket.onopen = () => {
      opened = true;
      this.#wait = OPEN_AGAIN_MS;
      this.#timer = setInterval(() => socket.send('.'), every);
    };
    socket.onmessage = ({ data }) => onMessage(JSON.parse(String(data)) as FromServer);
    socket.onclose = () => {
      clearInterval(this.#timer);
      if (this.#closed) return;
      if (opened) onLost();
      setTimeout(() => this.#open(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, MAX_WAIT_MS);
    };
  }
}
