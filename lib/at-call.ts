import { GraceError } from './errors.js';

/** A function or a class. */
type Callable = abstract new (...args: never[]) => unknown;

/**
 * Makes the stack of an error that the program caused begin where it called us: for an
 * error that nobody catches, Node.js prints the line at which the stack begins.
 * The stack is empty if a call fails later and the program did not wait for it.
 *
 * @param called - the public function; it has to be running.
 * @returns the error.
 */
export function atCall(error: unknown, called: Callable | ((...args: never[]) => unknown)): unknown {
  if (error instanceof GraceError) Error.captureStackTrace(error, called);
  return error;
}
