import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** For a test's `skip`: a reason if what the test needs is missing. In CI nothing is skipped, and the test fails there. */
export function skipUnless(works: () => boolean, reason: string): string | false {
  return process.env['CI'] === undefined && !works() ? reason : false;
}

/** The same for a command that has to end with exit code 0. */
export function skipUnlessRuns(command: string, ...args: readonly string[]): string | false {
  return skipUnless(() => spawnSync(command, args).status === 0, `${command} does not work here`);
}

/** The same for programs that have to be in the `PATH`. */
export function skipUnlessFound(...programs: readonly string[]): string | false {
  const missing = programs.filter((program) => findInPath(program) === undefined);
  return skipUnless(() => missing.length === 0, `not installed: ${missing.join(', ')}`);
}

/** The path of a program that is in the `PATH`. */
export function findInPath(program: string): string | undefined {
  const paths = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, program));
  return paths.find((path) => statSync(path, { throwIfNoEntry: false })?.isFile() === true);
}
