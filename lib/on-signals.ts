type Handler = (signal: NodeJS.Signals) => void;

const own = new WeakSet<object>();

/** Whether a handler of a signal is one of this library, and not of the program. */
export function isOwnHandler(handler: object): boolean {
  return own.has(handler);
}

/**
 * Installs one handler for several signals; returns a function that removes it.
 *
 * @param where - among the handlers that are there already.
 */
export function onSignals(signals: readonly NodeJS.Signals[], handler: Handler, where: 'last' | 'first' = 'last'): () => void {
  own.add(handler);
  for (const signal of signals) process[where === 'last' ? 'on' : 'prependListener'](signal, handler);
  return () => {
    for (const signal of signals) process.off(signal, handler);
  };
}

/** The exit code that a shell reports for a process that a signal ended: 128 + n. */
export function exitCodeOf(signal: NodeJS.Signals): number {
  return 128 + process.getBuiltinModule('node:os').constants.signals[signal];
}
