import { type Channel } from './preload-contract.js';

/** What Node.js adds to `process` if it was started with an IPC channel. */
interface Connected {
  channel?: { readonly fd?: number; unref(): void } | null;
  connected?: boolean;
  send?: (message: object, handle: object | undefined, options: object, onSent: (error: Error | null) => void) => void;
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
  const channel: Channel = {
    ended: false,
    onEnd: () => undefined,
    send: (message, handle, onSent = () => undefined) => {
      if (channel.ended) return onSent(new Error('the channel has ended'));
      // Node.js asks whether it is connected, and keeps on `process` which descriptors are under way.
      program.connected = true;
      send.call(process, message, handle, {}, onSent);
      delete program.connected;
    },
  };
  const end = (): void => {
    program.channel = null;
    channel.ended = true;
    channel.onEnd();
  };
  const replace = (name: string, value: () => void): void => {
    Object.defineProperty(process, name, { configurable: true, writable: true, enumerable: false, value });
  };
  replace('disconnect', end);
  // After a descriptor has arrived, Node.js takes a process that is not connected for one that waits to disconnect.
  replace('_disconnect', () => undefined);
  return channel;
}
