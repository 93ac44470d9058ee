import { spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';

/**
 * `npm test`: runs all tests but the slow ones, or those with one of the arguments in
 * their paths; an argument that begins with ! leaves tests out. Options are those of `tap run`.
 */
const ARGUMENTS = process.argv.slice(2);
const isOption = (argument: string): boolean => argument.startsWith('-');
const parts = ARGUMENTS.filter((argument) => !isOption(argument)).map((part) => `--test-arg=${part}`);
const tap = realpathSync('node_modules/.bin/tap');
process.exitCode = spawnSync(process.execPath, [tap, 'run', ...ARGUMENTS.filter(isOption), ...parts], { stdio: 'inherit' }).status ?? 1;
