import { isLogCommand } from './log/open-log.js';
import { type Settings } from './options.js';
import { FLOCK, MKFIFO, SHELL, type SystemProgram, missingProgram } from './system-programs.js';
import { findProgram } from './process/find-program.js';

/**
 * Finds the programs that start_server runs itself, before anything is bound or written.
 *
 * @throws GraceError `PROGRAM_INVALID`, which names the one that is missing
 */
export function checkSystem({ pidFile, logFile }: Pick<Settings, 'pidFile' | 'logFile'>): void {
  find(SHELL);
  if (pidFile !== undefined) find(FLOCK);
  if (isLogCommand(logFile)) find(MKFIFO);
}

function find(program: SystemProgram): void {
  try {
    findProgram(program.name, process.env['PATH'], '/');
  } catch (cause) {
    throw missingProgram(program, cause);
  }
}
