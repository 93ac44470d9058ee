import { type Grace } from '../lib/grace.js';

/** Restarts and drains of all generations so far. */
export interface Totals {
  /** Restarts after which the successor served. */
  readonly restartsSucceeded: number;
  /** Restarts after which the old process served on. */
  readonly restartsFailed: number;
  /** Restarts that were taken back, because the new process failed on probation. */
  readonly restartsReverted: number;
  /** Connections that had moved to such a process, and may have ended with it. */
  readonly lost: number;
  /** Drains that are complete. */
  readonly drains: number;
  /** The time that all of these took together, in seconds. */
  readonly drainSeconds: number;
  /** Requests that a drain deadline cut off. */
  readonly cutOff: number;
  /** Connections that moved to a successor. */
  readonly moved: number;
}

type Drains = Pick<Totals, 'drains' | 'drainSeconds' | 'cutOff' | 'moved'>;

const KEY = 'totals';
const NO_DRAINS: Drains = { drains: 0, drainSeconds: 0, cutOff: 0, moved: 0 };

/** The totals of a process that has not started to serve. */
export const NO_TOTALS: Totals = { restartsSucceeded: 0, restartsFailed: 0, restartsReverted: 0, lost: 0, ...NO_DRAINS };

/**
 * Counts over restarts: the totals are passed on with the handoff, and a process
 * that has drained reports its drain to its successor.
 */
export class TotalsCounter {
  readonly #grace: Grace;
  readonly #failedBefore: number;
  #drains: Drains = NO_DRAINS;
  #reverted: number;
  #lost: number;

  /** Create it after the sockets are claimed: only then is it known what the predecessor passed on. */
  constructor(grace: Grace) {
    this.#grace = grace;
    const carried = (grace.carried.get(KEY) ?? {}) as {
      drained?: unknown;
      restartsFailed?: unknown;
      restartsReverted?: unknown;
      lost?: unknown;
    };
    this.#drains = asDrains(carried.drained);
    this.#failedBefore = asNumber(carried.restartsFailed);
    this.#reverted = asNumber(carried.restartsReverted);
    this.#lost = asNumber(carried.lost);
    grace.on('restart-reverted', ({ lost }) => {
      this.#reverted += 1;
      this.#lost += asNumber(lost);
    });
    grace.carried.leave(KEY, () => ({ ...this.now, drained: this.#drains }));
    grace.carried.hear(KEY, (value) => this.#add(asDrains(value)));
    let begin = 0;
    grace.on('draining', () => {
      begin = performance.now();
    });
    grace.once('closed', ({ cutOff }) => {
      if (begin === 0) return;
      this.#add({
        drains: 1,
        drainSeconds: (performance.now() - begin) / 1_000,
        cutOff: cutOff.reduce((sum, { count }) => sum + count, 0),
        moved: grace.moved,
      });
    });
  }

  get now(): Totals {
    const { generation, reason, failedRestarts } = this.#grace;
    return {
      restartsSucceeded: generation - 1 + (reason === 'handover' ? 1 : 0),
      restartsFailed: this.#failedBefore + failedRestarts,
      restartsReverted: this.#reverted,
      lost: this.#lost,
      ...this.#drains,
    };
  }

  /** Passes the counts on too: a predecessor may still drain when this process has already handed over. */
  #add(more: Drains): void {
    this.#drains = {
      drains: this.#drains.drains + more.drains,
      drainSeconds: this.#drains.drainSeconds + more.drainSeconds,
      cutOff: this.#drains.cutOff + more.cutOff,
      moved: this.#drains.moved + more.moved,
    };
    this.#grace.carried.tell(KEY, more);
  }
}

function asDrains(value: unknown): Drains {
  const { drains, drainSeconds, cutOff, moved } = (value ?? {}) as Partial<Record<keyof Drains, unknown>>;
  return { drains: asNumber(drains), drainSeconds: asNumber(drainSeconds), cutOff: asNumber(cutOff), moved: asNumber(moved) };
}

function asNumber(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}
