import { type EventEmitter } from 'node:events';
import { type ServerHttp2Session } from 'node:http2';
import { leave, type LeaveTimes } from './leave.js';
import { OpenSession } from './open-session.js';
import { shareOfTime } from './share-of-time.js';

/** Sessions leave one after the other, so that their clients do not connect again all at once. */
const BETWEEN_SESSIONS_MS = 5;
/** How long it may take until the last session is told. */
const ALL_TOLD_MS = 2_000;
/** How long a session is without a stream before it leaves for a connection that waits. */
const IDLE_WHILE_OTHERS_WAIT_MS = 500;
/** Others wait for the place of a session that leaves for them. */
const FOR_OTHERS: LeaveTimes = { idleTimeout: 1_000, pause: 100, patience: 500 };

/** The open HTTP/2 sessions of a server. */
export class Http2Sessions {
  readonly #open = new Set<OpenSession>();
  /** There when all sessions have to leave. */
  #times: LeaveTimes | undefined;
  /** When the last of them has to leave, by performance.now(). */
  #latest = 0;

  constructor(server: EventEmitter) {
    server.on('session', (session: ServerHttp2Session) => {
      const open = new OpenSession(session);
      this.#open.add(open);
      session.once('close', () => this.#open.delete(open));
      if (this.#times !== undefined)
        void this.#leaveLater(open, this.#times, Math.max(0, this.#latest - performance.now()) * shareOfTime());
    });
  }

  /** Streams in flight. */
  get streams(): number {
    let count = 0;
    for (const { inFlight } of this.#open) count += inFlight;
    return count;
  }

  /** Sessions with a stream in flight. */
  get busy(): number {
    let count = 0;
    for (const { inFlight } of this.#open) if (inFlight > 0) count += 1;
    return count;
  }

  /**
   * Makes all sessions leave, and sessions that open later.
   *
   * @param time - milliseconds in which they leave, spread evenly; 0: soon.
   */
  leave(times: LeaveTimes, time = 0): void {
    this.#times = times;
    this.#latest = performance.now() + time;
    const staying = [...this.#open].filter(({ leaving }) => !leaving);
    const step = Math.min(BETWEEN_SESSIONS_MS, ALL_TOLD_MS / staying.length);
    staying.forEach((open, index) => void this.#leaveLater(open, times, time > 0 ? time * shareOfTime() : index * step));
  }

  /** Sessions may stay again, except those that were told to leave. */
  stay(): void {
    this.#times = undefined;
  }

  /** Makes sessions leave for connections that wait, at most one for each: idle ones, longest idle first, and then busy ones. */
  makeRoom(waiting: number): void {
    const now = performance.now();
    const [idle, busy] = [this.#spoken(({ inFlight }) => inFlight === 0), this.#spoken(({ inFlight }) => inFlight > 0)];
    const isDue = ({ changedAt }: OpenSession): boolean => now - changedAt >= IDLE_WHILE_OTHERS_WAIT_MS;
    const leaving = choose(
      idle.filter((open) => open.leaving || isDue(open)),
      waiting,
    );
    // A busy one that leaves keeps its place until its last stream has ended.
    choose(busy, waiting - leaving);
  }

  /** Sessions that have had a stream, the longest unchanged first. */
  #spoken(condition: (open: OpenSession) => boolean): OpenSession[] {
    return [...this.#open].filter((open) => open.hasSpoken && condition(open)).sort((a, b) => a.changedAt - b.changedAt);
  }

  async #leaveLater(open: OpenSession, times: LeaveTimes, milliseconds: number): Promise<void> {
    open.leaving = true;
    if (milliseconds > 0) await open.until(() => false, milliseconds);
    if (this.#times !== undefined) return leave(open, times);
    open.leaving = false;
  }
}

/** Makes as many of these sessions leave as there are `places`, counting those that leave already. Returns how many leave. */
function choose(sessions: readonly OpenSession[], places: number): number {
  const staying = sessions.filter(({ leaving }) => !leaving);
  const before = sessions.length - staying.length;
  const chosen = staying.slice(0, Math.max(0, places - before));
  chosen.forEach((open) => void leave(open, FOR_OTHERS));
  return before + chosen.length;
}
