/**
 * How a signal came: from outside, or passed on by the first process. Ctrl+C in
 * a terminal comes both ways, as the terminal signals all generations. The ways
 * are counted apart, so that one Ctrl+C does not look like two requests.
 */
export type SignalWay = 'direct' | 'forwarded';

/** One request to stop is often sent twice: by tsx, by timeout(1), by a terminal to its whole group. */
const SAME_REQUEST_MS = 1_000;

/** Distinguishes a second request to stop from a signal that only repeats the first one. */
export class StopRequests {
  /** Ways in which a first signal came; `old` once SAME_REQUEST_MS have passed since then. */
  readonly #first = new Map<SignalWay, 'new' | 'old'>();

  /**
   * Counts a signal, and tells whether it is a second request to stop.
   *
   * @param self - whether the program sent it to itself: frameworks do that when
   * they have cleaned up. It is never a second request, and not a first one for
   * a signal from outside.
   */
  isSecond(way: SignalWay, self: boolean): boolean {
    if (self) return false;
    const first = this.#first.get(way);
    if (first === undefined) this.#begin(way);
    return first === 'old';
  }

  #begin(way: SignalWay): void {
    this.#first.set(way, 'new');
    // After a long computation a timer fires before Node.js reads the signals that came during it: so wait one more turn of the event loop.
    setTimeout(() => setImmediate(() => this.#first.set(way, 'old')).unref(), SAME_REQUEST_MS).unref();
  }
}
