import { formatLine, isCount, isRecord, parseRecord } from './json.js';

/**
 * What the predecessor writes into the handoff pipe: first `hello`; `yours` to
 * a successor that is ready and was not given up; when it serves, `restart`, if a
 * further restart was requested meanwhile, and `news` of the drain.
 */
export type PredecessorMessage =
  | {
      readonly type: 'hello';
      readonly nonce: string;
      readonly state: Readonly<Record<string, unknown>>;
      /** Whether `yours` will follow. start_server and older versions do not send it. */
      readonly acknowledges?: boolean;
      /** Whether stderr and the exit code are to be reported after `serving` too, as the successor is on probation. */
      readonly watches?: boolean;
    }
  | { readonly type: 'yours'; readonly nonce: string }
  | { readonly type: 'restart' }
  | { readonly type: 'news'; readonly key: string; readonly value: unknown };

/**
 * What the successor writes into the handoff pipe: that its process runs; to
 * start_server, that `ready` will follow; copies of its stderr until it is
 * ready, or no longer on probation; its exit code, if it exits before that; that it is ready;
 * after `yours`, that it serves; and then what it asks of the predecessor, which drains.
 */
export type SuccessorMessage =
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'starting'; readonly nonce: string }
  | { readonly type: 'stderr'; readonly text: string }
  | { readonly type: 'exit'; readonly code: number }
  | {
      readonly type: 'ready';
      readonly nonce: string;
      readonly pid: number;
      readonly kept: readonly number[];
      /** Whether it waits for `yours` and `serving` will follow. Without it, the successor serves already. */
      readonly waits?: boolean;
      /** The kinds of connections that it takes from the predecessor. */
      readonly takes?: readonly string[];
    }
  | {
      readonly type: 'serving';
      readonly nonce: string;
      /** Sockets of which it sends a descriptor back, through the channel. */
      readonly returns?: readonly number[];
    }
  | { readonly type: 'ask'; readonly key: string; readonly value: unknown };

/** A message as the one line that goes through the pipe. */
export function formatMessage(message: PredecessorMessage | SuccessorMessage): string {
  return formatLine(message);
}

/** Reads a line from the predecessor; undefined if it is not a known message, for example one of a later version. */
export function parsePredecessorMessage(line: string): PredecessorMessage | undefined {
  const { type, key, value, nonce, state, acknowledges, watches } = parseRecord(line) ?? {};
  if (type === 'restart') return { type };
  if (type === 'news' && typeof key === 'string') return { type, key, value };
  if (type === 'yours' && typeof nonce === 'string') return { type, nonce };
  if (type === 'hello' && typeof nonce === 'string') {
    return {
      type,
      nonce,
      state: isRecord(state) ? state : {},
      ...(acknowledges === true && { acknowledges }),
      ...(watches === true && { watches }),
    };
  }
  return undefined;
}

/** Reads a line from the successor; undefined if it is not a known message. */
export function parseSuccessorMessage(line: string): SuccessorMessage | undefined {
  const { type, text, code, nonce, pid, kept, waits, takes, returns, key, value } = parseRecord(line) ?? {};
  if (type === 'starting' && typeof nonce === 'string') return { type, nonce };
  if (type === 'serving' && typeof nonce === 'string') return { type, nonce, ...(isCounts(returns) && { returns }) };
  if (type === 'started' && isCount(pid) && pid > 0) return { type, pid };
  if (type === 'stderr' && typeof text === 'string') return { type, text };
  if (type === 'exit' && isCount(code)) return { type, code };
  if (type === 'ask' && typeof key === 'string') return { type, key, value };
  if (type === 'ready' && typeof nonce === 'string' && isCount(pid) && isCounts(kept)) {
    return { type, nonce, pid, kept, ...(waits === true && { waits }), ...(isNames(takes) && { takes }) };
  }
  return undefined;
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every(isCount);
}

function isNames(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}
