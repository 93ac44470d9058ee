import { onSignals } from '../lib/on-signals.js';
import { ignoreSignals } from './process/inert-signals.js';

/** What the signals of start_server do. */
export interface SignalTargets {
  deploy(message: string): void;
  /** @param signal - for the workers */
  stop(received: NodeJS.Signals, signal: NodeJS.Signals): void;
  upgrade(): void;
  /** Sends a signal to the workers. */
  passOn(signal: NodeJS.Signals): void;
  say(message: string): void;
}

/** Signals that process 1 passes on to the workers: nobody else can reach them there. */
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGWINCH'];

/**
 * Listens for signals.
 *
 * @param signalOnTerm - for the workers, when SIGTERM arrives
 * @returns what stops it.
 */
export function handleSignals(targets: SignalTargets, signalOnTerm: NodeJS.Signals): () => void {
  const isFirst = process.pid === 1;
  const removers = [
    onSignals(['SIGHUP'], () => targets.deploy('received HUP, spawning a new worker')),
    onSignals(['SIGTERM'], (signal) => targets.stop(signal, signalOnTerm)),
    onSignals(['SIGINT'], (signal) => targets.stop(signal, 'SIGTERM')),
    ignoreSignals((signal) => {
      if (!isFirst || !PASSED_ON.includes(signal)) targets.say(`received ${signal.slice(3)}, which means nothing to start_server`);
    }),
    ...(isFirst
      ? [onSignals(PASSED_ON, (signal) => targets.passOn(signal))]
      : [onSignals(['SIGQUIT'], (signal) => targets.stop(signal, signal)), onSignals(['SIGUSR2'], () => targets.upgrade())]),
  ];
  return () => removers.forEach((remove) => remove());
}
