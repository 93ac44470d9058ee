import { GraceError, messageOf } from '../errors.js';

/** What comes before the successor's stderr in a message. */
export const STDERR = '; the end of its stderr:\n';
const FAILED = 'restart failed, this process keeps serving';
const GIVEN_UP = 'restart given up, because this process stops';
/** Why a successor is stopped if its predecessor stops while it starts. */
export const PREDECESSOR_STOPS = 'was stopped too';

const STDERR_LINES = 20;
const STDERR_CHARACTERS = 16 * 1024;

/** How a successor that did not become ready has ended. */
export interface Ending {
  readonly pid: number | undefined;
  /** Null if a signal ended it, undefined if nobody knows. */
  readonly exitCode: number | null | undefined;
  readonly signal: NodeJS.Signals | null;
  /** The last lines of its stderr. */
  readonly stderr: string;
  /** Why it could not be started. */
  readonly cause: Error | undefined;
}

/**
 * The error of a restart whose successor did not become ready.
 *
 * @param stopped - why this process stopped the successor, if it did.
 */
export function successorError(ending: Ending, stopped: string | undefined): GraceError {
  const { pid, cause, stderr } = ending;
  const what =
    cause === undefined
      ? `the successor (process ${pid ?? 'unknown'}) ${stopped ?? `${howItEnded(ending)} before it was ready`}`
      : `the successor could not be started: ${cause.message}`;
  const output = stderr === '' ? '' : `${STDERR}${stderr}`;
  const failed = stopped === PREDECESSOR_STOPS ? GIVEN_UP : FAILED;
  return new GraceError('RESTART_FAILED', `${failed}: ${what}${output}`, ending);
}

/** For a message: `exited with code 1`, `was killed by SIGKILL`. */
export function howItEnded({ exitCode, signal }: Pick<Ending, 'exitCode' | 'signal'>): string {
  if (signal !== null) return `was killed by ${signal}`;
  return exitCode === undefined ? 'exited with an unknown code' : `exited with code ${exitCode}`;
}

/** The message of such an error in one line, without the successor's stderr: that is on stderr already. */
export function restartSummary({ message }: GraceError): string {
  const [summary = ''] = message.split(STDERR);
  return summary.replace(/\s+/g, ' ');
}

/**
 * Any error that made a restart fail, as a GraceError.
 *
 * @param serving - whether this process still serves, or stops.
 */
export function asRestartError(cause: unknown, serving: boolean): GraceError {
  if (cause instanceof GraceError) return cause;
  return new GraceError('RESTART_FAILED', `${serving ? FAILED : GIVEN_UP}: ${messageOf(cause)}`, { cause });
}

/** The part of a successor's stderr that is kept while it starts. */
export function endOf(stderr: string): string {
  return stderr.slice(-STDERR_CHARACTERS);
}

/** The lines of its stderr that an error has. */
export function lastLines(stderr: string): string {
  return stderr.trimEnd().split('\n').slice(-STDERR_LINES).join('\n');
}
