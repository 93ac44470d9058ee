#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { GraceError, messageOf, show } from '../../../lib/errors.js';
import { HELP } from './help.js';
import { becomeProgram, runProgram } from './program.js';

/** A file apart, so that this command and a program that imports it have the same one. */
const AUTO = new URL('../compiled/load.js', import.meta.url).href;

async function run([first, ...rest]: readonly string[]): Promise<void> {
  if (first === undefined) throw invalid('no program is given', first);
  if (first === '--help' || first === '-h') return void process.stdout.write(HELP);
  if (first === '--version' || first === '-v') return void process.stdout.write(`${version()}\n`);
  if (first === 'check') {
    if (rest[0] === '--help' || rest[0] === '-h') return void process.stdout.write(HELP);
    const { check } = await import('./check.js');
    return check(rest);
  }
  if (first.startsWith('-')) {
    throw invalid(`there is no option ${first}; for an option of Node.js, write node ${first} --import ts-grace/auto program.js`, first);
  }
  becomeProgram(first, rest);
  // Without this file, the command line of a successor is made from `process`: see launch/command.ts.
  if (!existsSync('/proc/self/cmdline')) process.execArgv.push(`--import=${AUTO}`);
  await import(AUTO);
  runProgram();
}

function version(): string {
  const { version: text } = JSON.parse(readFileSync(new URL('../../../../package.json', import.meta.url), 'utf8')) as { version: string };
  return text;
}

function invalid(message: string, value: unknown): GraceError {
  return new GraceError('PROGRAM_INVALID', `${message}; ts-grace --help says more`, { subject: 'arguments', value: show(value) });
}

run(process.argv.slice(2)).catch((error: unknown) => {
  // An error of the program itself is thrown as always.
  if (!(error instanceof GraceError)) throw error;
  process.stderr.write(`ts-grace: ${messageOf(error)}\n`);
  process.exitCode = 1;
});
