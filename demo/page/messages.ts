/** What happened to a process. All times are milliseconds since 1970 by the clock of the server. */
export interface Notice {
  /** Each notice has its own; it may arrive twice. */
  readonly id: string;
  readonly at: number;
  readonly what: 'restarting' | 'ready' | 'restart-failed' | 'draining' | 'closed' | 'message';
  /** The process that it happened to. */
  readonly pid: number;
  readonly generation: number;
  /** For people. */
  readonly text?: string;
}

/** What the server says on a WebSocket. */
export type FromServer =
  /** First, and again when the connection has moved to another process. */
  | { readonly type: 'hello'; readonly pid: number; readonly generation: number; readonly now: number; readonly history: readonly Notice[] }
  | { readonly type: 'notice'; readonly now: number; readonly notice: Notice }
  | { readonly type: 'pong'; readonly pid: number; readonly generation: number };

/** Who answered, see `/answer`. */
export interface Answer {
  readonly pid: number;
  readonly generation: number;
}
