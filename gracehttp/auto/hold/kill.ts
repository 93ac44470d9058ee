type Kill = typeof process.kill;

/** What decides about signals that the program sends to itself. */
export interface KillHold {
  /** Whether this signal only asks for the exit now. */
  holds(signal: NodeJS.Signals): boolean;
  onAsked(): void;
}

/** Makes a signal by which the program ends itself wait while this process drains: frameworks send it when they have cleaned up. */
export function holdKill(hold: KillHold): void {
  const native = process.kill;
  const kill: Kill = (pid, signal = 'SIGTERM') => {
    if (Number(pid) !== process.pid || !hold.holds(signal as NodeJS.Signals)) return native.call(process, pid, signal);
    hold.onAsked();
    return true;
  };
  process.kill = kill;
}
