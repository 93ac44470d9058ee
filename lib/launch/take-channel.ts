import { type Channel } from './preload-contract.js';

/** What Node.js adds to `process` when it opens an IPC channel. */
interface Connected {
  channel?: { readonly fd?: number; unref(): void } | null;
  connected?: boolean;
  send?: (message: object, handle: object | undefined, options: object, onSent: (error: Error | null) => void) => void;
  disconnect?: () => void;
}

/** What Node.js itself calls at its start if it finds {@link CHANNEL_FD}; not in the public types. */
interface OpensChannel {
  _forkChild?: (fd: number, serialization: string) => void;
}

/** By which Node.js passes a channel to a child process. If it is empty, Node.js does not open the channel, and starts 3 ms earlier. */
export const CHANNEL_FD = 'NODE_CHANNEL_FD';
const SERIALIZATION = 'NODE_CHANNEL_SERIALIZATION_MODE';

/**
 * Takes the IPC channel away from the program, so that the program does not see
 * it: no `process.send`, no `process.connected`, no 'disconnect' event, and
 * nothing keeps the process alive. Node.js itself needs two things to receive
 * messages: `process.channel`, and a `process.disconnect` to call at the end.
 *
 * @returns undefined if the program has another channel.
 */
export function takeChannel(fd: number): Channel | undefined {
  const program = process as Connected;
  let isOpen = program.channel !== undefined;
  if (isOpen && program.channel?.fd !== fd) return undefined;
  delete process.env[CHANNEL_FD];
  delete process.env[SERIALIZATION];
  let send: Connected['send'];
  const channel: Channel = {
    ended: false,
    onEnd: () => undefined,
    open: () => {
      if (isOpen) return;
      isOpen = true;
      openChannel(fd);
      hide();
    },
    send: (message, handle, onSent = () => undefined) => {
      if (channel.ended || send === undefined) return onSent(new Error('the channel is not open'));
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
  const hide = (): void => {
    ({ send } = program);
    if (send === undefined) return end();
    program.channel?.unref();
    delete program.send;
    delete program.connected;
    replace('disconnect', end);
    // After a descriptor has arrived, Node.js takes a process that is not connected for one that waits to disconnect.
    replace('_disconnect', () => undefined);
  };
  if (isOpen) hide();
  return channel;
}

/** In a Node.js version that works in another way, the channel is closed, so that the predecessor sees that nobody listens. */
function openChannel(fd: number): void {
  try {
    (process.getBuiltinModule('node:child_process') as OpensChannel)._forkChild!(fd, 'json');
  } catch {
    process.getBuiltinModule('node:fs').closeSync(fd);
  }
}
