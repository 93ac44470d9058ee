import { spawnSync } from 'node:child_process';
import { closeSync, constants, fstatSync, ftruncateSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from 'node:fs';
import { GraceError, errnoCode, messageOf } from '../../lib/errors.js';
import { isRunning } from '../../lib/process-table.js';

/**
 * The pid file of a running start_server. As Server::Starter's it is locked with
 * flock(2) as long as the process lives, so that a file that was left behind is
 * told from one that is in use, whatever process has the pid by now.
 */
export class PidLock {
  readonly #path: string;
  readonly #fd: number;

  private constructor(path: string, fd: number) {
    this.#path = path;
    this.#fd = fd;
  }

  /** @throws GraceError `ALREADY_RUNNING`, `PID_FILE` */
  static take(path: string): PidLock {
    for (;;) {
      const fd = open(path, constants.O_RDWR | constants.O_CREAT);
      const before = readPid(path);
      if (!lock(fd, before)) {
        closeSync(fd);
        throw new GraceError('ALREADY_RUNNING', `already running: process ${before} has the pid file ${path}`, {
          subject: 'pid-file',
          value: path,
        });
      }
      // The one before may have unlinked the file between the opening and the locking.
      if (statSync(path, { throwIfNoEntry: false })?.ino !== fstatSync(fd).ino) {
        closeSync(fd);
        continue;
      }
      ftruncateSync(fd);
      writeSync(fd, `${process.pid}\n`);
      return new PidLock(path, fd);
    }
  }

  release(): void {
    if (readPid(this.#path) === process.pid) unlinkSync(this.#path);
    closeSync(this.#fd);
  }
}

/**
 * The pid of the start_server that has this pid file.
 *
 * @throws GraceError `PID_FILE` where it cannot be read, `NOT_RUNNING`
 */
export function runningPid(path: string): number {
  const fd = open(path, constants.O_RDONLY);
  try {
    const pid = readPid(path);
    if (pid !== undefined && !lock(fd, pid)) return pid;
    throw new GraceError('NOT_RUNNING', `no start_server runs with the pid file ${path}, which was left behind`, {
      subject: 'pid-file',
      value: path,
    });
  } finally {
    closeSync(fd);
  }
}

/** flock(2) locks the open file description, which flock(1) shares with this process and leaves locked. */
function lock(fd: number, holder: number | undefined): boolean {
  const { status } = spawnSync('flock', ['-xn', '3'], { stdio: ['ignore', 'ignore', 'ignore', fd] });
  // Without flock(1): a pid that is alive, and not this one's, as in a container that was started again.
  if (status === null) return holder === undefined || holder === process.pid || !isRunning(holder);
  return status === 0;
}

function open(path: string, flags: number): number {
  try {
    return openSync(path, flags, 0o666);
  } catch (cause) {
    const reason = messageOf(cause);
    throw new GraceError('PID_FILE', `failed to open file:${path}: ${reason}`, { subject: 'pid-file', value: path, cause });
  }
}

function readPid(path: string): number | undefined {
  try {
    const text = readFileSync(path, 'utf8').trim();
    return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : undefined;
  } catch (error) {
    if (errnoCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
