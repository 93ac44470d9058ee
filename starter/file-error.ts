import { GraceError, messageOf } from '../lib/errors.js';

/** A file named by an option that could not be opened or written. Begins as Server::Starter's message does. */
export function fileError(
  attempt: string,
  option: string,
  path: string,
  cause: unknown,
  code: 'FILE_INVALID' | 'PID_FILE' = 'FILE_INVALID',
): GraceError {
  return new GraceError(code, `failed to ${attempt}:${path}: ${messageOf(cause)}`, { subject: option, value: path, cause });
}
