/** What one restart of one system cost. Times in milliseconds, memory in MiB. */
export interface TurnResult {
  /** Requests without a whole answer, from the restart on until the old process is gone. */
  readonly lost: number;
  /** Those of them that were refused a connection, as nobody listened. */
  readonly refused: number;
  /** Connections that keep-alive clients had to open again in that time. */
  readonly reconnects: number;
  /** Requests in that time. */
  readonly requests: number;
  /** From the restart to the first answer of a new process; null if there was none. */
  readonly newAnswers: number | null;
  /** From the restart to the end of the last process that had answered before; null if it stayed. */
  readonly oldGone: number | null;
  /** Latency of answers before the restart, and in the two seconds from it on. */
  readonly p50Before: number;
  readonly p99Before: number;
  readonly p50: number;
  readonly p99: number;
  /** Requests a second of a saturated server; null without wrk. */
  readonly rate: number | null;
  /** Resident memory of all processes before the restart, and at most during it. */
  readonly memory: number;
  readonly memoryPeak: number;
}

/** Answers and losses in slices of time around a restart, for a picture. */
export interface Timeline {
  /** Milliseconds; the restart is at `before`. */
  readonly slice: number;
  readonly before: number;
  readonly old: readonly number[];
  readonly new: readonly number[];
  readonly lost: readonly number[];
}
