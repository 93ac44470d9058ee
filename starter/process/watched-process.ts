import { isStillRunning, startTimeOf } from '../../lib/process-table.js';
import { type ManagedProcess, sendSignal } from './managed-process.js';
import { type WaitStatus } from './wait-status.js';

const LOOK_EVERY_MS = 100;

/** A process, distinguished from a later one with the same pid by the time when it began. */
export interface ProcessIdentity {
  readonly pid: number;
  /** In clock ticks since the boot of the machine, see proc(5). */
  readonly startTime: string;
}

/** Undefined if there is no such process. */
export function identify(pid: number): ProcessIdentity | undefined {
  const startTime = startTimeOf(pid);
  return startTime === undefined ? undefined : { pid, startTime };
}

/**
 * A process that is not a child of this one, so wait(2) does not tell of its end:
 * it is looked for in the process table.
 */
export class WatchedProcess implements ManagedProcess {
  readonly pid: number;
  readonly exited: Promise<WaitStatus>;
  readonly failure = undefined;
  readonly #startTime: string;
  #look: () => void = () => undefined;

  constructor({ pid, startTime }: ProcessIdentity) {
    this.pid = pid;
    this.#startTime = startTime;
    this.exited = new Promise((done) => {
      const timer = setInterval(() => this.#look(), LOOK_EVERY_MS);
      this.#look = () => {
        if (this.#runs()) return;
        clearInterval(timer);
        done(undefined);
      };
    });
  }

  /** Something points to its end, so it is looked for now. */
  lookNow(): void {
    this.#look();
  }

  signal(signal: NodeJS.Signals): string | undefined {
    return this.#runs() ? sendSignal(this.pid, signal) : undefined;
  }

  #runs(): boolean {
    return isStillRunning(this.pid, this.#startTime);
  }
}
