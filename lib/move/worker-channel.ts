import { isOpenSocket } from '../check/file-type.js';
import { type Channel } from '../launch/preload-contract.js';
import { takeChannel } from '../launch/take-channel.js';

/**
 * Opens the channel that start_server passes to a worker, and hides it from the
 * program. Node.js opens a channel by itself if `NODE_CHANNEL_FD` names it, but then
 * programs that do not use this library would find a `process.send`.
 *
 * @returns undefined if there is no channel, or the process has one of its own, or a Node.js version works in another way.
 */
export function openWorkerChannel(fd: number | undefined): Channel | undefined {
  const isFree = (process as { readonly channel?: unknown }).channel === undefined;
  if (fd === undefined || !isFree || !isOpenSocket(fd)) return undefined;
  const channel = takeChannel(fd);
  channel?.open?.();
  return channel?.ended === true ? undefined : channel;
}
