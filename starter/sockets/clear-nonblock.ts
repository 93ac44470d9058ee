import { spawnSync } from 'node:child_process';

/** Descriptors 0, 1 and 2: of these libuv clears the flag in a child. */
const AT_A_TIME = 3;

/**
 * Makes sockets blocking, as a program expects that calls accept(2) and waits in
 * it. Node.js makes sockets with O_NONBLOCK, which belongs to the open file
 * description, so that workers have it too; and it has no fcntl(2). What it does
 * is to clear the flag of whatever a child gets as its stdin, stdout and stderr.
 *
 * Only before the first worker: an event loop that accepts on the socket sets
 * the flag itself, and would stand still without it.
 */
export function makeBlocking(fds: readonly number[]): void {
  for (let from = 0; from < fds.length; from += AT_A_TIME) {
    const [a, b = 'ignore', c = 'ignore'] = fds.slice(from, from + AT_A_TIME);
    spawnSync('/bin/sh', ['-c', ':'], { stdio: [a ?? 'ignore', b, c] });
  }
}
