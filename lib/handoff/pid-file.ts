import { readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { GraceError, errnoCode, messageOf } from '../errors.js';
import { warn } from '../log.js';

/**
 * Writes this process's pid into a file. It writes a draft and renames it, so
 * that a reader always finds a complete pid, the old or the new one.
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

/** Removes the file if it still names this process. A file that cannot be removed is only a warning, as the process exits anyway. */
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
    // It was never written.
  }
}
