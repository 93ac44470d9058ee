import { type Debugger } from 'debug';
import { requirePackage } from './require.js';

export type Log = (format: string, ...values: unknown[]) => void;

/**
 * Debug output under `grace:<part>`, shown where the variable `DEBUG` asks for it.
 *
 * The package `debug` takes longer to load than all of this library, which
 * would show in every restart, so it is loaded by the first line that somebody
 * wants to see. `debug.enable()` sets the variable too.
 */
export function logger(part: string): Log {
  let print: Debugger | undefined;
  return (format, ...values) => {
    if (process.env['DEBUG'] === undefined) return;
    print ??= requirePackage<(namespace: string) => Debugger>('debug')(`grace:${part}`);
    print(format, ...values);
  };
}

/**
 * Something an operator should see even without `DEBUG`. Goes the way of Node's
 * own warnings: to stderr, or to whoever listens to `process.on('warning')`.
 */
export function warn(message: string): void {
  process.emitWarning(message, 'GraceWarning');
}
