import { isSocket } from '../check/file-type.js';
import { type Channel } from '../launch/preload-contract.js';
import { takeChannel } from '../launch/take-channel.js';
import { logger } from '../log.js';

const log = logger('move');

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
    if (fd === undefined || open === undefined || !isFree || !isSocket(fd)) return undefined;
    open(fd, 'json');
    return takeChannel(fd);
  } catch (error) {
    log('descriptor %d is no channel: %s', fd, error);
    return undefined;
  }
}
