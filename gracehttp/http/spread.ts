import { shareOfTime } from '../http2/share-of-time.js';
import { type HttpConnection } from './http-connection.js';

/**
 * Lets connections leave one after the other: each one gets a moment at random, and
 * its next response after that is the last one. So the share of those that have to
 * leave rises from none to all, however often each client asks.
 *
 * @param connections - the connections that are open now; those that come later leave in the rest of the time.
 * @param time - milliseconds.
 */
export function spread(connections: Iterable<HttpConnection>, time: number): (connection: HttpConnection) => boolean {
  const begin = performance.now();
  const moments = new WeakMap<HttpConnection, number>();
  const choose = (connection: HttpConnection, from: number): number => {
    const moment = from + shareOfTime() * Math.max(0, begin + time - from);
    moments.set(connection, moment);
    return moment;
  };
  for (const connection of connections) choose(connection, begin);
  return (connection) => {
    const now = performance.now();
    return now >= (moments.get(connection) ?? choose(connection, now));
  };
}
