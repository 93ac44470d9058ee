import { constants } from 'node:os';

/** A benchmark that is interrupted leaves no process behind. */
export function endAtSignals(killAll: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      killAll();
      process.exit(128 + constants.signals[signal]);
    });
  }
}
