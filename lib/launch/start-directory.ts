import { accessSync, constants, statSync } from 'node:fs';
import { GraceError, messageOf, show } from '../errors.js';

/** The directory in which this process was started. */
export interface StartDirectory {
  /** As the kernel has it, symbolic links resolved away; undefined if the kernel does not tell, as the directory is deleted. */
  readonly physical: string | undefined;
  /** As the shell named it (`$PWD`). */
  readonly named: string | undefined;
}

/** Never throws: a directory that cannot be used makes a restart fail, but not the start. */
export function readStartDirectory(shellDirectory: string | undefined): StartDirectory {
  const absolute = shellDirectory?.startsWith('/') === true ? shellDirectory : undefined;
  const physical = currentDirectory();
  if (physical === undefined) return { physical, named: absolute };
  return { physical, named: absolute !== undefined && isSameDirectory(absolute, physical) ? absolute : undefined };
}

/**
 * The directory for a successor.
 *
 * @throws GraceError `RESTART_FAILED` that names the directory if a process cannot be started in it.
 */
export function usableDirectory({ physical, named }: StartDirectory): string {
  const directory = named ?? physical;
  try {
    if (directory === undefined) throw new Error('it was deleted, and $PWD does not name it');
    accessSync(directory, constants.X_OK);
    if (!statSync(directory).isDirectory()) throw new Error('it is not a directory');
    return directory;
  } catch (cause) {
    const name = directory === undefined ? '' : ` ${show(directory)}`;
    const message = `restart failed, this process keeps serving: the directory${name} in which it was started cannot be used: ${messageOf(cause)}`;
    throw new GraceError('RESTART_FAILED', message, { subject: 'directory', value: directory, cause });
  }
}

function currentDirectory(): string | undefined {
  try {
    return process.cwd();
  } catch {
    return undefined;
  }
}

function isSameDirectory(one: string, other: string): boolean {
  try {
    const [a, b] = [statSync(one), statSync(other)];
    return a.dev === b.dev && a.ino === b.ino;
  } catch {
    return false;
  }
}
