import { GraceError, show } from '../../lib/errors.js';
import { milliseconds, wholeNumber } from '../../lib/check/numbers.js';
import { type Overflow } from './overflow.js';

/** Limits of one server. */
export interface LimitOptions {
  /** How many connections the server has at the same time; further ones wait. Default: no limit. */
  readonly maxConnections?: number;
  /** How many connections may wait. Default 1 024. */
  readonly maxQueued?: number;
  /**
   * How long a connection waits at most, in milliseconds; 0 for no limit. After that it
   * gets a 503 response with `Retry-After`; with TLS, or without HTTP, it is reset.
   * Default 30 000.
   */
  readonly queueTimeout?: number;
  /**
   * What a connection gets if the queue is full: a reset, or a 503 response with
   * `Retry-After`. Default `reset`. With TLS it is always a reset, as a response
   * would need a handshake first.
   */
  readonly overflow?: Overflow;
}

/** Most clients and load balancers wait at least this long. */
export const DEFAULT_QUEUE_TIMEOUT_MS = 30_000;

const OVERFLOWS: readonly (string | undefined)[] = ['reset', '503', undefined] satisfies (Overflow | undefined)[];

/** @throws GraceError `OPTION_INVALID` */
export function checkLimitOptions({ maxConnections, maxQueued, queueTimeout, overflow }: LimitOptions, speaksHttp: boolean): void {
  wholeNumber('maxConnections', maxConnections, 1, Number.MAX_SAFE_INTEGER);
  wholeNumber('maxQueued', maxQueued, 0, Number.MAX_SAFE_INTEGER);
  milliseconds('queueTimeout', queueTimeout, DEFAULT_QUEUE_TIMEOUT_MS);
  const known = OVERFLOWS.includes(overflow);
  if (known && (overflow !== '503' || speaksHttp)) return;
  const expected = known ? "'reset', because the server does not speak HTTP" : "'reset' or '503'";
  throw new GraceError('OPTION_INVALID', `the option overflow is ${show(overflow)}, expected ${expected}`, {
    subject: 'overflow',
    value: overflow,
  });
}
