import { nextTurn } from '../../lib/deadline.js';
import { type OpenSession } from './open-session.js';

/** In milliseconds. */
export interface LeaveTimes {
  /** How long a session may be silent: before its first stream, and when it has none left. */
  readonly idleTimeout: number;
  /** How long a pause in which no stream begins or ends has to be, if none is held: a shorter one may be between two bursts of requests. */
  readonly pause: number;
  /** How long to look for a good moment for GOAWAY. */
  readonly patience: number;
}

/** How long a client may take for its next request, when it has read a response. */
const NEXT_REQUEST_MS = 10;
/** How long new streams are held at most. */
const HOLD_MS = 250;
/** How long to wait after that until the next attempt. */
const RETRY_MS = 250;
/** A client that has not answered PING after this time is not waited for. */
const ANSWERS_PING_MS = 1_000;
/** How long GOAWAY may take to go out, if the client reads nothing. */
const GOES_OUT_WITHIN_MS = 1_000;
/** How long a client may take to close a connection on which nothing happens. */
const CLOSES_WITHIN_MS = 1_000;

/**
 * Makes the client of a session leave: GOAWAY (RFC 9113, 6.8), then the end of the
 * connection when its streams have ended.
 *
 * What the client sends while GOAWAY is on its way is refused, and nghttp2 has no way
 * to accept it. So GOAWAY is sent when nothing is on its way: when a new stream is
 * held and no other one follows, or after a pause. Then the held streams are answered.
 */
export async function leave(open: OpenSession, { idleTimeout, pause, patience }: LeaveTimes): Promise<void> {
  open.leaving = true;
  open.hold();
  if (!open.hasSpoken) await open.until(() => open.hasSpoken, idleTimeout);
  const latest = performance.now() + (open.hasSpoken ? patience : 0);
  while (!open.ended && !(await isGoodMoment(open, pause, latest)) && performance.now() < latest);
  await open.close(GOES_OUT_WITHIN_MS);
  open.release();
  await open.until(() => open.inFlight === 0);
  const idle = performance.now() - open.changedAt;
  await open.until(() => false, Math.min(idleTimeout, Math.max(CLOSES_WITHIN_MS, idleTimeout - idle)));
  if (!open.ended) open.destroy();
}

/** Waits for a good moment. If it has come, new streams are held. */
async function isGoodMoment(open: OpenSession, pause: number, latest: number): Promise<boolean> {
  open.hold();
  if (open.held > 0) return isWaiting(open, latest);
  const left = Math.min(open.changedAt + pause, latest) - performance.now();
  if (left > 0) {
    await open.until(() => open.held > 0, left);
    return false;
  }
  return isStillIdle(open, latest);
}

/** On a busy machine the client may not have run all this time, or what it has sent waits in the kernel. */
async function isStillIdle(open: OpenSession, latest: number): Promise<boolean> {
  const { changes } = open;
  const begin = performance.now();
  await open.roundTrip(Math.min(ANSWERS_PING_MS, latest - begin));
  const took = performance.now() - begin;
  await open.until(() => open.changes !== changes, Math.min(took, NEXT_REQUEST_MS));
  await nextTurn();
  return open.changes === changes && (took < HOLD_MS || took >= ANSWERS_PING_MS);
}

/**
 * While a stream is held, its client waits for it. If within a round trip no other one
 * has come, and no response has gone out that could bring one, nothing is on its way.
 */
async function isWaiting(open: OpenSession, latest: number): Promise<boolean> {
  const end = Math.min(performance.now() + HOLD_MS, latest);
  while (!open.ended && performance.now() < end) {
    const { changes } = open;
    await open.roundTrip(end - performance.now());
    await open.until(() => open.changes !== changes, NEXT_REQUEST_MS);
    await nextTurn();
    if (open.changes === changes) return true;
  }
  if (performance.now() >= latest) return true;
  open.release();
  await open.until(() => false, Math.min(RETRY_MS, latest - performance.now()));
  return false;
}
