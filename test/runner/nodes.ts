import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/**
 * Runs the tests on every supported version of Node.js, which the npm package `node` brings.
 * Arguments: major versions (default all), and parts of paths of tests (default all but the slow ones).
 */
const SUPPORTED = ['20', '22', '24', '26'];
const isMajor = (argument: string): boolean => /^\d+$/.test(argument);
const ARGUMENTS = process.argv.slice(2);
const FILES = ARGUMENTS.filter((argument) => !isMajor(argument));
const MAJORS = ARGUMENTS.some(isMajor) ? ARGUMENTS.filter(isMajor) : SUPPORTED;
const RUNNER = 'dist/test/runner/main.js';

const folder = mkdtempSync(join(tmpdir(), 'grace-nodes-'));
const failed: string[] = [];
try {
  for (const major of MAJORS) {
    const prefix = join(folder, major);
    const install = ['install', '--silent', '--no-audit', '--no-fund', '--prefix', prefix, `node@${major}`];
    if (spawnSync('npm', install, { stdio: 'inherit' }).status !== 0) throw new Error(`cannot install node@${major}`);
    const bin = join(prefix, 'node_modules/node/bin');
    // With CI nothing is skipped.
    const env = { ...process.env, CI: 'true', PATH: `${bin}${delimiter}${process.env['PATH']}` };
    console.log(`# Node.js ${major}`);
    if (spawnSync(join(bin, 'node'), [RUNNER, ...FILES], { stdio: 'inherit', env }).status !== 0) failed.push(major);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(failed.length === 0 ? `passed on ${MAJORS.join(', ')}` : `failed on ${failed.join(', ')}`);
process.exitCode = failed.length;
