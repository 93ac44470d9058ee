import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { GraceError, errnoCode, messageOf } from '../errors.js';
import { warn } from '../log.js';

/**
 * Puts this process's pid into a file, by way of a draft and rename(2): whoever
 * reads the file finds one whole pid, the old or the new one.
 *
 * @throws GraceError `PID_FILE`
 */
export function writePidFile(path: string): void {
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, `${process.pid}\n`);
    renameSync(draft, path);
  } catch (cause) {
    removeFile(draft);
    const reason = messageOf(cause);
    throw new GraceError('PID_FILE', `cannot write the pid file ${path}: ${reason}`, {
      subject: 'pidFile',
      value: path,
      cause,
    });
  }
}

/** Removes the file where it still names this process. One that cannot be removed is a warning: the process leaves anyway. */
export function removePidFile(path: string): void {
  try {
    if (readFileSync(path, 'utf8').trim() === String(process.pid)) unlinkSync(path);
  } catch (error) {
    if (errnoCode(error) !== 'ENOENT') warn(`cannot remove the pid file ${path}: ${(error as Error).message}`);
  }
}

function removeFile(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // it was never written
  }
}
