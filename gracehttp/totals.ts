import { type Grace } from '../lib/grace.js';

/** What happened in all generations so far. */
export interface History {
  readonly restartsSucceeded: number;
  readonly restartsFailed: number;
  /** Drains that came to their end. */
  readonly drains: number;
  /** How long these took, together. */
  readonly drainSeconds: number;
  /** Requests that a deadline cut off. */
  readonly cutOff: number;
}

type Drains = Pick<History, 'drains' | 'drainSeconds' | 'cutOff'>;

const KEY = 'history';
const NONE: Drains = { drains: 0, drainSeconds: 0, cutOff: 0 };

/** That of a process that has not begun. */
export const NO_HISTORY: History = { restartsSucceeded: 0, restartsFailed: 0, ...NONE };

/** Counts over restarts: the counters go with the handoff, and a process that has drained tells its successor how it went. */
export class HistoryKeeper {
  readonly #grace: Grace;
  readonly #failedBefore: number;
  #drained: Drains = NONE;

  /** To be made when the sockets are claimed. */
  constructor(grace: Grace) {
    this.#grace = grace;
    const carried = (grace.carried(KEY) ?? {}) as { drained?: unknown; restartsFailed?: unknown };
    this.#drained = asDrains(carried.drained);
    this.#failedBefore = asNumber(carried.restartsFailed);
    grace.carry(KEY, () => ({ drained: this.#drained, restartsFailed: this.now.restartsFailed }));
    grace.hear(KEY, (value) => this.#add(asDrains(value)));
    let begin = 0;
    grace.once('draining', () => {
      begin = performance.now();
    });
    grace.once('closed', ({ cutOff }) => {
      if (begin === 0) return;
      this.#add({
        drains: 1,
        drainSeconds: (performance.now() - begin) / 1_000,
        cutOff: cutOff.reduce((sum, { count }) => sum + count, 0),
      });
    });
  }

  get now(): History {
    const { generation, reason, failedRestarts } = this.#grace;
    return {
      restartsSucceeded: generation - 1 + (reason === 'handover' ? 1 : 0),
      restartsFailed: this.#failedBefore + failedRestarts,
      ...this.#drained,
    };
  }

  /** A predecessor may drain for longer than this process serves, so what it says is passed on. */
  #add(more: Drains): void {
    this.#drained = {
      drains: this.#drained.drains + more.drains,
      drainSeconds: this.#drained.drainSeconds + more.drainSeconds,
      cutOff: this.#drained.cutOff + more.cutOff,
    };
    this.#grace.tell(KEY, more);
  }
}

function asDrains(value: unknown): Drains {
  const { drains, drainSeconds, cutOff } = (value ?? {}) as Partial<Record<keyof Drains, unknown>>;
  return { drains: asNumber(drains), drainSeconds: asNumber(drainSeconds), cutOff: asNumber(cutOff) };
}

function asNumber(value: unknown): number {
  return typeof value === 'number' && value >= 0 ? value : 0;
}
