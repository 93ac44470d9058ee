import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The descriptors of a pipe. Each has its own open file description, so that O_NONBLOCK is set on some of them only. */
export interface NamedPipe {
  /** Blocking, for the command. */
  readonly readFd: number;
  readonly nonblockingReadFd: number;
  /** Blocking. */
  readonly writeFd: number;
  readonly nonblockingWriteFd: number;
}

/**
 * Makes a pipe of which this process holds both ends. Node.js has no pipe(2): the
 * `pipe` of a child process is a socket, which a program cannot open as
 * /dev/stdout. So it is a fifo(7), whose file is removed again at once.
 */
export function makeNamedPipe(): NamedPipe {
  const folder = mkdtempSync(join(tmpdir(), 'start_server-'));
  try {
    const path = join(folder, 'log');
    const { status, error } = spawnSync('mkfifo', ['-m', '600', path]);
    if (status !== 0) throw error ?? new Error(`mkfifo failed with ${status}`);
    // fifo(7): opening for reading and writing does not block, and lets the other calls open one end without blocking.
    const both = openSync(path, constants.O_RDWR);
    const readFd = openSync(path, constants.O_RDONLY);
    const nonblockingReadFd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const writeFd = openSync(path, constants.O_WRONLY);
    const nonblockingWriteFd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    closeSync(both);
    return { readFd, nonblockingReadFd, writeFd, nonblockingWriteFd };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
