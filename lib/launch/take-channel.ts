import { type Channel } from './preload-contract.js';

/** What Node.js adds to `process` if it was started with an IPC channel. */
interface Connected {
  channel?: { readonly fd?: number; unref(): void } | null;
  connected?: boolean;
  send?: (message: object, handle: undefined, options: object, onSent: () => void) => void;
  disconnect?: () => void;
}

/**
 * Takes the IPC channel away from the program, so that the program does not see
 * it: no `process.send`, no `process.connected`, no 'disconnect' event, and
 * nothing keeps the process alive. Node.js itself needs two things to receive
 * messages: `process.channel`, and a `process.disconnect` to call at the end.
 *
 * @returns undefined if the descriptor is not that of the channel.
 */
export function takeChannel(fd: number): Channel | undefined {
  const program = process as Connected;
  const { send } = program;
  if (send === undefined || program.channel?.fd !== fd) return undefined;
  program.channel.unref();
  delete program.send;
  delete program.connected;
  const connected = Object.create(process, { connected: { value: true } }) as Connected;
  const channel: Channel = {
    ended: false,
    onEnd: () => undefined,
    // An error means that the predecessor is gone, which is noticed in another way.
    send: (message) => {
      if (!channel.ended) send.call(connected, message, undefined, {}, () => undefined);
    },
  };
  const end = (): void => {
    program.channel = null;
    channel.ended = true;
    channel.onEnd();
  };
  Object.defineProperty(process, 'disconnect', { configurable: true, writable: true, enumerable: false, value: end });
  return channel;
}
