import { isOwnHandler } from '../../../lib/on-signals.js';

type Handler = (...args: unknown[]) => unknown;

let last: NodeJS.Signals | undefined;

/** The last signal that this library handled. */
export function lastSignal(): NodeJS.Signals | undefined {
  return last;
}

/**
 * From now on a signal that this library handles does not reach the handlers of
 * the program: {@link programHandlers} are called at the drain. It has to be done before the
 * first handler is installed, as Node.js keeps the `process.emit` of that moment.
 */
export function holdSignals(): void {
  const emit = process.emit as (event: string, ...args: unknown[]) => boolean;
  const holding = (event: string, ...args: unknown[]): boolean => {
    const own = isSignal(event) ? handlersOf(event).filter(isOwnHandler) : [];
    if (own.length === 0) return Reflect.apply(emit, process, [event, ...args]) as boolean;
    last = event as NodeJS.Signals;
    for (const handler of own) Reflect.apply(handler, process, args);
    return true;
  };
  process.emit = holding as typeof process.emit;
  keepOwnHandlers();
}

/** With removeAllListeners() a program removes its own handlers of a signal, before it sends itself that signal. */
function keepOwnHandlers(): void {
  const { removeAllListeners } = process;
  process.removeAllListeners = (event) => {
    if (!isSignal(event) || !handlersOf(event as string).some(isOwnHandler)) return removeAllListeners.call(process, event);
    for (const handler of programHandlers(event as NodeJS.Signals)) process.off(event as string, handler);
    return process;
  };
}

/** The program's handlers of a signal. */
export function programHandlers(signal: NodeJS.Signals): readonly Handler[] {
  return handlersOf(signal).filter((handler) => !isOwnHandler(handler));
}

function handlersOf(signal: string): Handler[] {
  return process.rawListeners(signal as 'SIGTERM') as Handler[];
}

function isSignal(event: unknown): boolean {
  return typeof event === 'string' && event.startsWith('SIG');
}
