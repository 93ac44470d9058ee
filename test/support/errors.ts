import { type Test } from 'tap';
import { GraceError, type GraceErrorCode } from '../../lib/errors.js';

/** What a test expects of an error. */
export interface ExpectedError {
  readonly code: GraceErrorCode;
  readonly subject?: string;
  readonly value?: unknown;
}

/** What a call throws or rejects with; undefined if it does neither. */
export async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** Asserts that a call throws, or rejects with, a GraceError with exactly these facts. */
export async function fails(t: Test, call: () => unknown, expected: ExpectedError, name: string): Promise<GraceError> {
  const error = await failureOf(call);
  if (!(error instanceof GraceError)) {
    t.fail(`${name}: expected a GraceError`, { found: error });
    throw error ?? new Error(`${name}: nothing was thrown`);
  }
  const { code, subject, value } = error;
  t.strictSame({ code, subject, value }, { subject: undefined, value: undefined, ...expected }, name);
  return error;
}
