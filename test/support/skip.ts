import { spawnSync } from 'node:child_process';

/** For a test's `skip`: a reason if what the test needs is missing. In CI nothing is skipped, and the test fails there. */
export function skipUnless(works: () => boolean, reason: string): string | false {
  return process.env['CI'] === undefined && !works() ? reason : false;
}

/** The same for a command that has to end with exit code 0. */
export function skipUnlessRuns(command: string, ...args: readonly string[]): string | false {
  return skipUnless(() => spawnSync(command, args).status === 0, `${command} does not work here`);
}
