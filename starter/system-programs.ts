import { GraceError } from '../lib/errors.js';

/** A program of the system that start_server runs itself. */
export interface SystemProgram {
  readonly name: string;
  /** What it is run for, as the user asked for it. */
  readonly use: string;
  readonly remedy: string;
}

export const SHELL: SystemProgram = { name: '/bin/sh', use: 'to start workers', remedy: 'install a POSIX shell there' };
export const FLOCK: SystemProgram = {
  name: 'flock',
  use: 'to lock the --pid-file',
  remedy: 'install util-linux or busybox, or leave out --pid-file',
};
export const MKFIFO: SystemProgram = {
  name: 'mkfifo',
  use: 'for a command as --log-file',
  remedy: 'install coreutils or busybox, or log to a file',
};

/** The error for a program that is missing. */
export function missingProgram({ name, use, remedy }: SystemProgram, cause: unknown): GraceError {
  return new GraceError('PROGRAM_INVALID', `start_server needs ${name} ${use}, but cannot find it: ${remedy}`, {
    subject: 'PATH',
    value: process.env['PATH'],
    cause,
  });
}
