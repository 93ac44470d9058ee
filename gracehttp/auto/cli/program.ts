import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { GraceError, show } from '../../../lib/errors.js';

/** Not in the public types: runs the file in `process.argv[1]` as if node had been started with it. */
interface RunsMain {
  readonly runMain: () => void;
}

/**
 * Makes a program the one that this process was started with.
 *
 * @throws GraceError `PROGRAM_INVALID`
 */
export function becomeProgram(name: string, args: readonly string[]): void {
  const file = findProgram(name);
  process.argv = [process.argv[0]!, file, ...args];
}

/** Runs it. */
export function runProgram(): void {
  (process.getBuiltinModule('node:module') as unknown as RunsMain).runMain();
}

/** A file, as node finds it, or a command of a package. */
function findProgram(name: string): string {
  const file = resolve(name);
  const found =
    [file, `${file}.js`, `${file}.mjs`, `${file}.cjs`, join(file, 'index.js')].find(isFile) ?? (isPackage(file) ? file : undefined);
  const command = found === undefined && !name.includes('/') ? findCommand(name) : undefined;
  if (found === undefined && command === undefined) {
    throw new GraceError('PROGRAM_INVALID', `there is no program ${show(name)}`, { subject: 'program', value: name });
  }
  return found ?? command!;
}

function findCommand(name: string): string | undefined {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const path = join(folder, 'node_modules', '.bin', name);
    if (isFile(path)) return path;
    if (dirname(folder) === folder) return undefined;
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function isPackage(path: string): boolean {
  return existsSync(join(path, 'package.json'));
}
