import { GraceError, messageOf } from '../../lib/errors.js';

/** What an option's file failed with; `tried` says what was to be done with it. */
export function fileError(tried: string, option: string, path: string, cause: unknown): GraceError {
  const reason = messageOf(cause);
  return new GraceError('FILE_INVALID', `failed to ${tried}:${path}: ${reason}`, { subject: option, value: path, cause });
}
