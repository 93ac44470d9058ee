import { formatTime } from '../deadline.js';
import { GraceError } from '../errors.js';
import { type Ending, STDERR, howItEnded } from '../handoff/restart-error.js';

/** Why a process serves again after it had handed over. */
export type Fault =
  | { readonly kind: 'ended' }
  | { readonly kind: 'hung'; readonly limit: number }
  /** It said so itself, or an operator did. */
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * The error of a restart that was taken back.
 *
 * @param lost - connections that had moved to the successor, and may have ended with it.
 */
export function reversionError(fault: Fault, ending: Ending, lost: number): GraceError {
  const { pid, stderr } = ending;
  const output = stderr === '' ? '' : `${STDERR}${stderr}`;
  const connections = lost === 0 ? '' : `; up to ${lost} connection${lost === 1 ? '' : 's'} that had moved to it ended with it`;
  const message = `restart taken back, this process serves again: the successor (process ${pid ?? 'unknown'}) ${describe(fault, ending)}${connections}${output}`;
  return new GraceError('RESTART_REVERTED', message, { ...ending, lost });
}

function describe(fault: Fault, ending: Ending): string {
  switch (fault.kind) {
    case 'hung':
      return `gave no sign of life for ${formatTime(fault.limit)}, and was killed`;
    case 'failed':
      return `is broken: ${fault.reason}`;
    default:
      return `${howItEnded(ending)} on probation`;
  }
}
