import { spawnSync } from 'node:child_process';
import { GraceError } from '../../lib/errors.js';

/**
 * Runs in a Node.js process of its own: calls listen(2) on the descriptors from 3
 * on and exits in the same turn of the event loop, before it can accept. Errors
 * arrive on the next tick, which comes before the loop polls.
 */
const PROGRAM = `
const net = require('node:net');
const [backlog, count] = process.argv.slice(1).map(Number);
for (let fd = 3; fd < 3 + count; fd += 1) {
  new net.Server().on('error', ({ code }) => process.stdout.write(fd - 3 + ' ' + code + '\\n')).listen({ fd }, backlog);
}
process.nextTick(() => process.exit());
`;

/** A bound socket that cannot listen. */
export interface ListenFailure {
  /** Its index in the list of descriptors. */
  readonly index: number;
  readonly code: string;
}

/**
 * Makes bound sockets listen without polling them in this process. Node.js cannot
 * listen without polling, and a process that polls a listening socket accepts
 * connections.
 *
 * @param backlog - how many connections the kernel queues, at most `net.core.somaxconn`.
 * @returns the first failure; undefined if all sockets listen.
 * @throws GraceError `RUNTIME_UNSUPPORTED` if Node.js cannot be run.
 */
export function listenUnpolled(fds: readonly number[], backlog: number): ListenFailure | undefined {
  if (fds.length === 0) return undefined;
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { status, stdout, stderr, error } = spawnSync(process.execPath, ['-e', PROGRAM, String(backlog), String(fds.length)], {
    stdio: ['ignore', 'pipe', 'pipe', ...fds],
    env,
    encoding: 'utf8',
  });
  const [, index, code] = /^(\d+) (\w+)/.exec(stdout ?? '') ?? [];
  if (index !== undefined && code !== undefined) return { index: Number(index), code };
  if (status === 0) return undefined;
  throw new GraceError('RUNTIME_UNSUPPORTED', `listen(2) failed: ${error?.message ?? stderr.trim()}`, { cause: error });
}
