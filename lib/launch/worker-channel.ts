import { fstatSync } from 'node:fs';
import { logger } from '../log.js';
import { type Channel } from './preload-contract.js';
import { takeChannel } from './take-channel.js';

const log = logger('launch');

/** What Node.js calls at the start of a process that `fork()` started. Not in the public types. */
interface ChildProcessModule {
  readonly _forkChild?: (fd: number, serialization: 'json') => void;
}

/**
 * Opens the channel that start_server passes to a worker, and hides it from the
 * program. Node.js opens a channel by itself if `NODE_CHANNEL_FD` names it, but then
 * programs that do not use this library would find a `process.send`.
 *
 * @returns undefined if there is no channel, or the process has one of its own, or a Node.js version works in another way.
 */
export function openWorkerChannel(fd: number | undefined): Channel | undefined {
  const { _forkChild: open } = process.getBuiltinModule('node:child_process') as ChildProcessModule;
  const isFree = (process as { readonly channel?: unknown }).channel === undefined;
  try {
    // As bigint: see lib/check/file-type.ts.
    if (fd === undefined || open === undefined || !isFree || !fstatSync(fd, { bigint: true }).isSocket()) return undefined;
    open(fd, 'json');
    return takeChannel(fd);
  } catch (error) {
    log('descriptor %d is no channel: %s', fd, error);
    return undefined;
  }
}
