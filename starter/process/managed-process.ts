import { type WaitStatus } from './wait-status.js';

/** A process that start_server looks after: its child, or one that it took over from the start_server before it. */
export interface ManagedProcess {
  /** Undefined if it could not be started. */
  readonly pid: number | undefined;
  /** Resolves when it has ended. */
  readonly exited: Promise<WaitStatus>;
  /** Why it could not be started. */
  readonly failure: string | undefined;
  /** Sends a signal; returns why that was not possible. A process that has ended is no failure. */
  signal(signal: NodeJS.Signals): string | undefined;
}

/** Sends a signal to a process that may have ended; returns why that was not possible. */
export function sendSignal(pid: number, signal: NodeJS.Signals): string | undefined {
  try {
    process.kill(pid, signal);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ESRCH' ? undefined : `${signal} to process ${pid}: ${code}`;
  }
}
