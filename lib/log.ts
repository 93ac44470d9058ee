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

/** Where messages for the operator go. */
let operator: (message: string) => void = writeLine;

/**
 * Gives the messages for the operator to a function of the program. If it throws,
 * they go to stderr.
 *
 * @returns a function that ends that.
 */
export function reportTo(log: (message: string) => void): () => void {
  const before = operator;
  const own = (message: string): void => {
    try {
      log(message);
    } catch (error) {
      writeLine(message);
      writeLine(`warning: the option log failed: ${String(error)}`);
    }
  };
  operator = own;
  return () => {
    if (operator === own) operator = before;
  };
}

/**
 * A message that an operator should see without `DEBUG`: one line on stderr, if
 * the program does not say otherwise. Not a warning of Node.js, which
 * `NODE_NO_WARNINGS` hides, and which adds a hint to the first one.
 */
export function report(message: string): void {
  operator(message);
}

/** {@link report} for a problem. */
export function warn(message: string): void {
  report(`warning: ${message}`);
}

/** Several processes write to one stderr, so the line has the pid. */
function writeLine(message: string): void {
  // Unlike process.stderr.write(), this does not throw when nobody reads stderr any longer.
  console.error(`ts-grace[${process.pid}]: ${message}`);
}
