/**
 * What goes through the channel by which connections move to the successor. Node.js
 * gives messages whose `cmd` begins with `NODE_` only to listeners of
 * 'internalMessage', so the program never sees them.
 */
export const MOVE = 'NODE_GRACE_MOVE';
export const MOVED = 'NODE_GRACE_MOVED';
export const ASK = 'NODE_GRACE_ASK';
export const ANSWER = 'NODE_GRACE_ANSWER';
export const RETURN = 'NODE_GRACE_RETURN';
export const TAKES = 'NODE_GRACE_TAKES';
export const WHERE = 'NODE_GRACE_WHERE';
export const THERE = 'NODE_GRACE_THERE';

/** A connection, sent along with its descriptor. */
export interface Move {
  readonly cmd: typeof MOVE;
  /** One more for each connection. */
  readonly id: number;
  /** What kind of connection it is, one of those that the successor takes. */
  readonly kind: string;
  /** What goes with the connection; JSON. */
  readonly details?: unknown;
}

/** Whether the successor has taken a connection. If not, the predecessor keeps it. */
export interface Moved {
  readonly cmd: typeof MOVED;
  readonly id: number;
  readonly taken: boolean;
  /** Processor time that the successor needs from one connection to the next; milliseconds. */
  readonly busy?: number;
}

/** Asks whether everything up to a connection has arrived. A descriptor is lost if the receiver has none free. */
export interface Ask {
  readonly cmd: typeof ASK;
  readonly id: number;
}

/** All messages are received in order, so what was sent before the question and has no {@link Moved} is lost. */
export interface Answer {
  readonly cmd: typeof ANSWER;
  readonly id: number;
}

/** A listening socket that the predecessor had passed on, and now keeps for the case that the successor fails. */
export interface Return {
  readonly cmd: typeof RETURN;
  /** Its descriptor in the successor. */
  readonly fd: number;
}

/** To start_server: the kinds of connections that this worker takes. */
export interface Takes {
  readonly cmd: typeof TAKES;
  readonly takes: readonly string[];
}

/** To start_server: asks which kinds of connections the worker in the place of this one takes. */
export interface Where {
  readonly cmd: typeof WHERE;
}

/** The answer of start_server. Without `takes` there is no such worker. */
export interface There {
  readonly cmd: typeof THERE;
  readonly takes?: readonly string[] | undefined;
}

export type ToSuccessor = Move | Ask;
export type ToPredecessor = Moved | Answer | Return;
export type ToWorker = ToSuccessor | ToPredecessor | There;
export type ToSuperdaemon = ToSuccessor | ToPredecessor | Takes | Where;
