import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { GraceError, errnoCode } from '../../lib/errors.js';
import { FLOCK, missingProgram } from '../system-programs.js';
import { fileError } from '../file-error.js';

/**
 * The pid file of a running start_server. As in Server::Starter it is locked with
 * flock(2) while the process runs. So a file that was left behind differs from
 * one in use, even if another process has the same pid now.
 */
export class PidLock {
  readonly #path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /** @throws GraceError `ALREADY_RUNNING`, `PID_FILE`, `PROGRAM_INVALID` without flock(1) */
  static take(path: string): PidLock {
    for (;;) {
      const fd = open(path, constants.O_RDWR | constants.O_CREAT);
      const previous = readPid(path);
      if (!lock(fd)) {
        closeSync(fd);
        throw new GraceError('ALREADY_RUNNING', `already running: process ${previous} has locked the pid file ${path}`, {
          subject: 'pid-file',
          value: path,
        });
      }
      // The previous process may have unlinked the file between open and lock.
      if (statSync(path, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino) {
        closeSync(fd);
        continue;
      }
      const taken = new PidLock(path, fd);
      taken.claim();
      return taken;
    }
  }

  /** The lock that another start_server has left to this one. */
  static inherit(path: string, fd: number): PidLock {
    return new PidLock(path, fd);
  }

  /** The open file, on which the lock is. */
  get fd(): number {
    return this.#fd;
  }

  /** Writes the pid of this process. In place: the lock stays, and a full disk does no harm. */
  claim(): void {
    const text = `${process.pid}\n`;
    writeSync(this.#fd, text, 0);
    ftruncateSync(this.#fd, text.length);
  }

  release(): void {
    if (readPid(this.#path) === process.pid) unlinkSync(this.#path);
    closeSync(this.#fd);
  }
}

/**
 * The pid of the start_server that has locked this pid file.
 *
 * @throws GraceError `PID_FILE` if it cannot be read, `NOT_RUNNING` if it is not locked, `PROGRAM_INVALID` without flock(1).
 */
export function runningPid(path: string): number {
  const fd = open(path, constants.O_RDONLY);
  try {
    const pid = readPid(path);
    if (pid !== undefined && !lock(fd)) return pid;
    throw new GraceError('NOT_RUNNING', `no start_server is running with the pid file ${path}, which was left behind`, {
      subject: 'pid-file',
      value: path,
    });
  } finally {
    closeSync(fd);
  }
}

/** Locks the file by flock(1): the lock belongs to the open file description, so it stays with this process. */
function lock(fd: number): boolean {
  const { status, error } = spawnSync('flock', ['-xn', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  if (error !== undefined) throw missingProgram(FLOCK, error);
  return status === 0;
}

function open(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o666);
  } catch (cause) {
    throw fileError('open file', 'pid-file', path, cause, 'PID_FILE');
  }
}

function readPid(path: string): number | undefined {
  try {
    // After a longer pid was overwritten there may be a rest of it for a moment.
    const [text = ''] = readFileSync(path, 'utf8').trim().split('\n', 1);
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
