import { show } from '../errors.js';
import { warn } from '../log.js';
import { isOwnHandler } from '../on-signals.js';
import { type SignalOptions } from '../options.js';

/**
 * Warns of handlers of the program for the signals that stop and restart it, now
 * and when one is added: they run at once, and one that closes servers or exits
 * loses requests.
 *
 * @returns a function that ends it.
 */
export function warnOfOtherHandlers({ stop, restart }: Required<Pick<SignalOptions, 'stop' | 'restart'>>): () => void {
  const signals = [...stop, ...restart];
  const look = (signal: NodeJS.Signals, handler: object): void => {
    if (isOwnHandler(handler)) return;
    const instead = restart.includes(signal)
      ? 'a restart has begun with the same signal'
      : 'it runs before requests are answered; onDrain and onShutdown run in time';
    warn(`${signal} is also handled by ${nameOf(handler)}: ${instead}`);
  };
  for (const signal of signals) for (const handler of process.listeners(signal)) look(signal, handler);
  const onNew = (event: string | symbol, handler: object): void => {
    if (signals.includes(event as NodeJS.Signals)) look(event as NodeJS.Signals, handler);
  };
  process.on('newListener', onNew);
  return () => process.off('newListener', onNew);
}

function nameOf(handler: object): string {
  const { name } = handler as { readonly name?: string };
  return name ? `the function ${name}` : `a function without a name: ${show(String(handler)).slice(1, -1)}`;
}
