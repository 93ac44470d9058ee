import { closeSync, openSync, writeSync } from 'node:fs';
import { fileError } from '../file-error.js';
import { LogCommand } from './log-command.js';
import { type LogHandover, type LogOutput, stderrOutput } from './log-output.js';

const PIPE = /^\s*\|\s*/;

/** Whether `--log-file` names a command, after `|`. */
export function isLogCommand(logFile: string | undefined): boolean {
  return logFile !== undefined && PIPE.test(logFile);
}

/**
 * Opens `--log-file`: a file, or a command after `|`. Without the option the log goes to stderr.
 *
 * @param before - what the start_server before this one left of a command
 * @throws GraceError `FILE_INVALID`
 */
export function openLog(logFile: string | undefined, before?: LogHandover): LogOutput {
  if (logFile === undefined) return stderrOutput;
  if (PIPE.test(logFile)) return new LogCommand(logFile.replace(PIPE, ''), before);
  const fd = openFile(logFile);
  return {
    fd,
    say: (message) => {
      try {
        writeSync(fd, `${message}\n`);
      } catch {
        // A full disk is no reason to stop serving.
      }
    },
    close: async () => closeSync(fd),
  };
}

function openFile(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (cause) {
    throw fileError('open log file', 'log-file', path, cause);
  }
}
