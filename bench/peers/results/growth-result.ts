/** Times in milliseconds, memory in bytes; each the median of some rounds. `bare` is the same program without ts-grace. */
export interface Growth {
  readonly listeners: readonly ListenersResult[];
  readonly idle: readonly IdleResult[];
  readonly busy: BusyResult;
}

export interface ListenersResult {
  readonly count: number;
  /** From the start of the process to its first answer. */
  readonly bareStart: number;
  readonly start: number;
  /** From SIGUSR2 to the first answer of the new process. */
  readonly restart: number;
  /** From SIGTERM to the end of the process. */
  readonly bareStop: number;
  readonly stop: number;
  readonly bareResident: number;
  readonly resident: number;
}

export interface IdleResult {
  readonly count: number;
  /** Memory of one connection. */
  readonly bareResident: number;
  readonly resident: number;
  readonly bareHeap: number;
  readonly heap: number;
  /** From SIGUSR2 to the first answer of the new process, on a new connection. */
  readonly restart: number;
  /** From SIGUSR2 until the new process has answered on every connection. */
  readonly allMoved: number;
  readonly lost: number;
  readonly reconnects: number;
  /** The longest time for which the event loop of one of the two processes was blocked during the restart. */
  readonly restartStall: number;
  /** From SIGTERM to the end of the process; the clients stay idle. */
  readonly bareDrain: number;
  readonly drain: number;
  readonly bareDrainStall: number;
  readonly drainStall: number;
}

const ENOUGH = 1_000;

/** Whether there were enough connections to say what one of them takes: what Node.js allocates in steps would outweigh a few. */
export function saysMemory({ count }: IdleResult): boolean {
  return count >= ENOUGH;
}

export interface BusyResult {
  readonly connections: number;
  /** Latency of a bare server, of ours before a restart, and of ours in the two seconds from a restart on. */
  readonly bareP50: number;
  readonly bareP99: number;
  readonly p50: number;
  readonly p99: number;
  readonly restartP50: number;
  readonly restartP99: number;
  readonly lost: number;
  readonly reconnects: number;
}
