import { type Counted } from './status-report.js';
import { type Worker } from './worker.js';

/** What one start_server leaves to the next one. */
export interface Snapshot {
  /** The generation that was started last. */
  readonly generation: number;
  readonly counted: Counted;
  /** For each slot: how often a worker crashed there. */
  readonly restarts: readonly number[];
  /** Why a deploy is to follow; undefined if none is. */
  readonly queued: string | undefined;
  /** All that have not exited. */
  readonly workers: readonly Worker[];
}

/** The worker that serves in a slot: the newest that was not told to stop. */
export function currentIn(snapshot: Snapshot | undefined, number: number): Worker | undefined {
  const candidates = (snapshot?.workers ?? []).filter((worker) => worker.number === number && worker.isUp && !worker.isDraining);
  return candidates.sort((a, b) => b.generation - a.generation)[0];
}
