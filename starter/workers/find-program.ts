import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { GraceError, errnoCode } from '../../lib/errors.js';

/**
 * Finds the file that exec(3) would run, so that a mistyped name shows before
 * anything is bound.
 *
 * @param directory - the working directory of the program.
 * @throws GraceError `PROGRAM_INVALID`
 */
export function findProgram(name: string, path: string | undefined, directory: string): string {
  const candidates = name.includes('/')
    ? [resolve(directory, name)]
    : (path ?? '/usr/bin:/bin').split(delimiter).map((folder) => resolve(directory, join(folder, name)));
  let reason = name.includes('/') ? 'no such file' : 'no such file in PATH';
  for (const candidate of name === '' ? [] : candidates) {
    const failure = whyNot(candidate);
    if (failure === undefined) return candidate;
    if (failure !== 'ENOENT' && failure !== 'ENOTDIR') reason = `${candidate} is not executable (${failure})`;
  }
  throw new GraceError('PROGRAM_INVALID', `failed to exec ${name}: ${reason}`, { subject: 'exec', value: name });
}

/** Why a file cannot be run; undefined where it can. */
function whyNot(file: string): string | undefined {
  try {
    if (!statSync(file).isFile()) return 'EISDIR';
    accessSync(file, constants.X_OK);
    return undefined;
  } catch (error) {
    return errnoCode(error) ?? 'EACCES';
  }
}
