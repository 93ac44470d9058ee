import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { GraceError, messageOf } from '../../../lib/errors.js';

/** A package.json with the key `grace`. */
export interface PackageFile {
  readonly path: string;
  readonly grace: unknown;
}

/**
 * The package.json of the program that has the key `grace`: the nearest one above its
 * file; or, as the file of `next start` is in another package, above the directory
 * in which the process was started.
 *
 * @param script - absolute path of the program; undefined if it has no file.
 * @throws GraceError `OPTION_INVALID` if the file is not JSON.
 */
export function findPackage(script: string | undefined = process.argv[1], directory: string = startDirectory()): PackageFile | undefined {
  const isElsewhere = script === undefined || /[\\/]node_modules[\\/]/.test(script);
  return (isElsewhere ? undefined : nearestPackage(dirname(script))) ?? nearestPackage(directory);
}

function nearestPackage(from: string): PackageFile | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const path = join(folder, 'package.json');
    const text = readOrNothing(path);
    if (text !== undefined) {
      const { grace } = parse(path, text);
      return grace === undefined ? undefined : { path, grace };
    }
    if (dirname(folder) === folder) return undefined;
  }
}

function parse(path: string, text: string): { readonly grace?: unknown } {
  // Most files do not have it, and parsing them takes longer.
  if (!text.includes('"grace"')) return {};
  try {
    return (JSON.parse(text) ?? {}) as { readonly grace?: unknown };
  } catch (cause) {
    throw new GraceError('OPTION_INVALID', `cannot read ${path}: ${messageOf(cause)}`, { subject: path, cause });
  }
}

function readOrNothing(path: string): string | undefined {
  // An error takes longer, and most folders have no such file.
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** It may be deleted; see StartDirectory. */
function startDirectory(): string {
  try {
    return process.cwd();
  } catch {
    return '/';
  }
}
