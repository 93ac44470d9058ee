import { type Test } from 'tap';
import { type LoadResult } from './load.js';

/** How many answers each kind of client gets from each generation at least. */
export const ANSWERS_FOR_EACH = 2;
/**
 * Shorter than idleTimeout (5 s), after which a drain closes connections that it forgot, and longer than
 * a busy machine takes. A connection that the kernel dropped is tried again after 1 s and after 3 s.
 */
const LONGEST_WAIT_MS = 4_000;

/** What is asserted of a load; it may come from another process as JSON. */
export type CheckedLoad = Pick<LoadResult, 'lost' | 'kinds' | 'longestWait' | 'answered'>;

/**
 * Asserts that nothing was lost, that each generation answered each kind of client, and that no client waited long.
 *
 * @param generations - the pids of each; start_server runs several workers in one.
 */
export function checkLoad(t: Test, load: CheckedLoad, generations: readonly (readonly number[])[], longest = LONGEST_WAIT_MS): void {
  t.strictSame(load.lost, [], 'no request is lost');
  t.strictSame(tooFew(load.kinds, generations), [], `each of ${generations.length} generations answered each kind of client`);
  t.ok(load.longestWait <= longest, `the longest wait was ${Math.round(load.longestWait)} ms, at most ${longest}`);
  t.comment(`${load.answered} requests answered`);
}

/** The kinds of clients that had fewer answers from a generation; all of them if there was no client. */
export function tooFew(kinds: CheckedLoad['kinds'], generations: readonly (readonly number[])[], answers = ANSWERS_FOR_EACH): string[] {
  if (Object.keys(kinds).length === 0) return ['there were no clients'];
  return generations.flatMap((pids) =>
    Object.entries(kinds).flatMap(([kind, byPid]) => {
      const had = pids.reduce((sum, pid) => sum + (byPid[pid] ?? 0), 0);
      return had < answers ? [`${kind}: ${had} answers from ${pids.join(' or ')}`] : [];
    }),
  );
}
