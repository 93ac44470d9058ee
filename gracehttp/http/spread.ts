import { type HttpConnection } from './http-connection.js';

/**
 * When one of many has to leave, at random: a share of the time, from 0 to 1.
 *
 * Both processes accept meanwhile, so about every second client that leaves this one
 * connects to it again, and has to leave once more. More leave early, so that all
 * connections together are spread evenly: with one random number, a third of them would
 * come in the last tenth of the time.
 */
export function shareOfTime(): number {
  return Math.min(Math.random(), Math.random());
}

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
