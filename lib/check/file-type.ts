import { type BigIntStats, fstatSync, lstatSync } from 'node:fs';

/**
 * All of this asks for numbers as bigint: Node.js 20 and 22 leave the other kind in
 * a place where `realpathSync()` and the loader of ES modules find them later. After
 * those of a socket or a pipe, they take a symbolic link for a folder, and a program
 * whose `node_modules` is a link cannot load its packages.
 */
const AS_BIGINT = { bigint: true } as const;

/** @throws the system's error, for example EBADF. */
export function isSocket(fd: number): boolean {
  return fstatSync(fd, AS_BIGINT).isSocket();
}

/** Whether a number is that of an open socket. */
export function isOpenSocket(fd: number): boolean {
  try {
    return isSocket(fd);
  } catch {
    return false;
  }
}

/** What is at a path, links not followed; undefined if nothing is there. */
export function lookAt(path: string): BigIntStats | undefined {
  return lstatSync(path, { ...AS_BIGINT, throwIfNoEntry: false });
}
