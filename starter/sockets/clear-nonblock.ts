import { spawnSync } from 'node:child_process';

/** stdin, stdout and stderr of a child process: libuv clears O_NONBLOCK on these only. */
const AT_A_TIME = 3;

/**
 * Makes sockets blocking, as a program that waits in accept(2) expects. Node.js
 * opens sockets with O_NONBLOCK. The flag belongs to the open file description,
 * so workers would get it too. Node.js has no fcntl(2), but clears the flag on
 * what a child process gets as stdin, stdout and stderr.
 *
 * To be called before the first worker starts: a worker that accepts in an event
 * loop sets the flag itself, and would hang without it.
 */
export function clearNonblock(fds: readonly number[]): void {
  for (let from = 0; from < fds.length; from += AT_A_TIME) {
    const [a, b = 'ignore', c = 'ignore'] = fds.slice(from, from + AT_A_TIME);
    spawnSync('/bin/sh', ['-c', ':'], { stdio: [a ?? 'ignore', b, c] });
  }
}
