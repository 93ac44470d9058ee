import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { GraceError, errnoCode } from '../../lib/errors.js';

/** What exec(3) searches without a PATH. */
const DEFAULT_PATH = '/usr/bin:/bin';

/**
 * Finds the file that exec(3) would run, so that a wrong name is reported
 * before anything is bound.
 *
 * @param directory - the working directory of the program.
 * @throws GraceError `PROGRAM_INVALID`
 */
export function findProgram(name: string, path: string | undefined, directory: string): string {
  const candidates = name.includes('/')
    ? [resolve(directory, name)]
    : (path ?? DEFAULT_PATH).split(delimiter).map((folder) => resolve(directory, join(folder, name)));
  let reason = name.includes('/') ? 'no such file' : 'no such file in PATH';
  for (const candidate of name === '' ? [] : candidates) {
    const failure = executeError(candidate);
    if (failure === undefined) return candidate;
    if (failure !== 'ENOENT' && failure !== 'ENOTDIR') reason = `${candidate} is not executable (${failure})`;
  }
  throw new GraceError('PROGRAM_INVALID', `failed to exec ${name}: ${reason}`, { subject: 'exec', value: name });
}

/** The system's error code for running a file; undefined if it can be run. */
function executeError(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return 'EISDIR';
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    return errnoCode(error) ?? 'EACCES';
  }
}
