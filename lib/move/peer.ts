import { type SendHandle } from 'node:child_process';
import { type Channel } from '../launch/preload-contract.js';
import { type Peer } from './channel.js';

/** The process at the other end of the channel of this one, in the shape of a child process. */
export function peerOf(channel: Channel): Peer {
  const node = process as Pick<Peer, '_handleQueue'>;
  return {
    get connected() {
      return !channel.ended;
    },
    get _handleQueue() {
      return node._handleQueue;
    },
    set _handleQueue(queue) {
      node._handleQueue = queue;
    },
    send: (message: object, handle: SendHandle | undefined, _options: object, onSent: (error: Error | null) => void) =>
      channel.send(message, handle as object | undefined, onSent),
    on: <Message>(event: string, handler: (message: Message) => void) => {
      // Its end is seen by onEnd.
      if (event !== 'disconnect') process.on(event as 'message', handler as (message: unknown) => void);
    },
    disconnect: () => undefined,
  };
}
