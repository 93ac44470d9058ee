import { Processes } from './processes.js';

/** One request. Times are milliseconds by `performance.now()`. */
export interface Exchange {
  readonly from: number;
  /** When the answer was complete, or the request was lost. */
  until?: number;
  /** The process that answers, known from the head of the answer on. */
  pid?: number;
  lost: boolean;
}

/** A time in which one process answered on the WebSocket. */
export interface Stretch {
  readonly from: number;
  until: number;
  readonly pid: number;
}

/** What the page has seen: all of the last seconds, and the sums. */
export class Recording {
  readonly processes = new Processes();
  exchanges: Exchange[] = [];
  /** Of the WebSocket. Between two that touch, it moved; a gap means that it was closed. */
  stretches: Stretch[] = [];
  answers = 0;
  lost = 0;
  /** How often a WebSocket had to be opened again. */
  reconnects = 0;
  #connected = false;

  begin(): Exchange {
    const exchange: Exchange = { from: performance.now(), lost: false };
    this.exchanges.push(exchange);
    return exchange;
  }

  answered(exchange: Exchange): void {
    exchange.until = performance.now();
    this.answers += 1;
  }

  failed(exchange: Exchange): void {
    exchange.until = performance.now();
    exchange.lost = true;
    this.lost += 1;
  }

  /** A process was heard on the WebSocket. */
  heard(pid: number): void {
    const now = performance.now();
    const last = this.stretches.at(-1);
    if (this.#connected && last !== undefined) {
      last.until = now;
      if (last.pid === pid) return;
    }
    this.#connected = true;
    this.stretches.push({ from: now, until: now, pid });
  }

  disconnected(): void {
    this.#connected = false;
    this.reconnects += 1;
  }

  /** Forgets what ended before a time. */
  forget(before: number): void {
    this.exchanges = this.exchanges.filter(({ until = Infinity }) => until > before);
    this.stretches = this.stretches.filter(({ until }) => until > before);
    this.processes.forget(before);
  }
}
