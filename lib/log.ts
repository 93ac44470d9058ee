import { type Debugger } from 'debug';
import { requirePackage } from './require.js';

export type Log = (format: string, ...values: unknown[]) => void;

/**
 * Debug output under `grace:<part>`, printed if the variable `DEBUG` asks for it.
 *
 * The package `debug` takes longer to load than all of this library and would
 * make every restart slower, so it is loaded when `DEBUG` is set and the first
 * line is to be printed. `debug.enable()` sets the variable too.
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
 * A message that an operator should see without `DEBUG`. It is a warning of
 * Node.js, which goes to stderr and to listeners of `process.on('warning')`.
 */
export function warn(message: string): void {
  process.emitWarning(message, 'GraceWarning');
}
