import { closeSync, openSync, writeSync } from 'node:fs';
import { fileError } from './file-error.js';
import { LogCommand } from './log-command.js';
import { type Sink } from './log-output.js';

const PIPE = /^\s*\|\s*/;

/**
 * Opens `--log-file`: a file, or after `|` a command that reads the log.
 *
 * @throws GraceError `FILE_INVALID`
 */
export async function openOutput(logFile: string | undefined): Promise<Sink> {
  if (logFile === undefined) return toStderr;
  if (PIPE.test(logFile)) return LogCommand.open(logFile.replace(PIPE, ''));
  const fd = openFile(logFile);
  return {
    fd,
    say: (message) => {
      try {
        writeSync(fd, `${message}\n`);
      } catch {
        // A disk that is full is no reason to stop serving.
      }
    },
    close: async () => closeSync(fd),
  };
}

/** This process's own stderr. */
export const toStderr: Sink = {
  fd: undefined,
  say: (message) => void process.stderr.write(`${message}\n`),
  close: () => Promise.resolve(),
};

function openFile(path: string): number {
  try {
    return openSync(path, 'a');
  } catch (cause) {
    throw fileError('open log file', 'log-file', path, cause);
  }
}
