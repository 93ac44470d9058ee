import fc from 'fast-check';
import { type Test } from 'tap';
import { GraceError, type GraceErrorCode } from '../../../lib/errors.js';

const DEFAULT_RUNS = 200;

// The same cases in each run, so that a failure is one of a change. PROPERTY_SEED and PROPERTY_RUNS try others.
fc.configureGlobal({
  seed: Number(process.env['PROPERTY_SEED'] ?? 1),
  numRuns: Number(process.env['PROPERTY_RUNS'] ?? DEFAULT_RUNS),
});

/** Asserts that a check throws for no value. */
export function holds<T>(t: Test, name: string, values: fc.Arbitrary<T>, check: (value: T) => void): void {
  t.doesNotThrow(() => fc.assert(fc.property(values, check)), name);
}

/** What a call returns; undefined if it throws a GraceError with this code. Any other error is thrown on. */
export function unlessRefused<T>(call: () => T, code: GraceErrorCode): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof GraceError && error.code === code && !error.message.includes('\n')) return undefined;
    throw error;
  }
}
