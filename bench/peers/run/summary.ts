import { REFUSED, type RequestRecord } from '../load/records.js';
import { type Timeline, type TurnResult } from '../results/turn-result.js';
import { quantile, rounded } from '../results/statistics.js';

const AROUND_MS = 2_000;
const SLICE_MS = 25;
const SLICES_BEFORE = 20;
const SLICES_AFTER = 80;

/** When what happened, on the clock of the records. */
export interface Moments {
  readonly quiet: number;
  readonly restart: number;
  readonly end: number;
  readonly old: ReadonlySet<number>;
}

/** What the clients saw of a restart. */
export function summarize(
  records: readonly RequestRecord[],
  { quiet, restart, end, old }: Moments,
): Pick<TurnResult, 'lost' | 'refused' | 'reconnects' | 'requests' | 'newAnswers' | 'p50Before' | 'p99Before' | 'p50' | 'p99'> {
  const within = (from: number, to: number): RequestRecord[] => records.filter((record) => record.end >= from && record.end < to);
  const after = within(restart, end);
  const first = after.filter(({ pid }) => pid > 0 && !old.has(pid)).map((record) => record.end);
  const latency = (some: readonly RequestRecord[], share: number): number =>
    rounded(
      quantile(
        some.filter(({ pid }) => pid > 0).map((record) => record.end - record.begin),
        share,
      ),
    );
  const [before, around] = [within(quiet, restart), within(restart, restart + AROUND_MS)];
  return {
    lost: after.filter(({ pid }) => pid <= 0).length,
    refused: after.filter(({ pid }) => pid === REFUSED).length,
    reconnects: after.filter(({ reconnected, pid }) => reconnected && pid > 0).length,
    requests: after.length,
    newAnswers: first.length === 0 ? null : rounded(Math.min(...first) - restart, 1),
    p50Before: latency(before, 0.5),
    p99Before: latency(before, 0.99),
    p50: latency(around, 0.5),
    p99: latency(around, 0.99),
  };
}

export function timelineOf(records: readonly RequestRecord[], { restart, old }: Moments): Timeline {
  const counts = { old: [] as number[], new: [] as number[], lost: [] as number[] };
  for (const some of Object.values(counts)) some.push(...new Array<number>(SLICES_BEFORE + SLICES_AFTER).fill(0));
  for (const { end, pid } of records) {
    const slice = Math.floor((end - restart) / SLICE_MS) + SLICES_BEFORE;
    const some = pid <= 0 ? counts.lost : old.has(pid) ? counts.old : counts.new;
    if (slice >= 0 && slice < some.length) some[slice]! += 1;
  }
  return { slice: SLICE_MS, before: SLICES_BEFORE * SLICE_MS, ...counts };
}
