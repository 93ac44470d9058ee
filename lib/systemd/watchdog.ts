/** setTimeout() takes no more; who waits longer for a sign of life does not wait for one. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;

/**
 * Gives a sign of life twice within each timeout, from the event loop: one that
 * hangs gives none. Returns what ends it.
 *
 * @param timeout - milliseconds.
 */
export function keepAwake(timeout: number, giveSign: () => void): () => void {
  giveSign();
  const timer = setInterval(giveSign, Math.min(timeout / 2, MAX_INTERVAL_MS)).unref();
  return () => clearInterval(timer);
}
