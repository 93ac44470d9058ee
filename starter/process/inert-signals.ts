import { onSignals } from '../../lib/on-signals.js';

/**
 * Signals that would end start_server, or mean something to Node.js: SIGUSR1 opens
 * the inspector on a port, by which every local user could run code in this process.
 * SIGPIPE is not one of them: Node.js ignores it.
 */
const INERT: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGALRM', 'SIGVTALRM', 'SIGIO', 'SIGPWR', 'SIGSTKFLT', 'SIGXCPU', 'SIGXFSZ'];

/** Makes these signals do nothing; returns a function that ends that. */
export function ignoreSignals(onSignal: (signal: NodeJS.Signals) => void = () => undefined): () => void {
  return onSignals(INERT, onSignal);
}
