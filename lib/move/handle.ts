import net, { type Server, type Socket } from 'node:net';

/** A connection as libuv has it: `TCP` or `Pipe`. Not in the public types. */
export interface Handle {
  readStop?: () => number;
  readStart?: () => number;
  reading?: boolean;
  close(): void;
}

/** The handle of an open connection; undefined if it has none, or if a Node.js version does not show it. */
export function handleOf(socket: Socket): Handle | undefined {
  const handle = (socket as { readonly _handle?: Handle | null })._handle;
  return socket.destroyed || handle === null || typeof handle?.readStop !== 'function' ? undefined : handle;
}

/**
 * Stops reading from a connection at once, so that what arrives stays in the
 * kernel for the successor. pause() alone does so only for connections of an
 * http.Server; on others libuv reads on. Until {@link readOn} nothing starts it
 * again: a stream would do so by itself, for example when a request is dropped.
 *
 * @returns false if the connection is gone, or a Node.js version works in another way.
 */
export function stopReading(socket: Socket): boolean {
  const handle = handleOf(socket);
  if (handle === undefined) return false;
  socket.pause();
  handle.readStop?.();
  handle.readStart = doNotRead;
  return true;
}

/** One for all connections: ten thousand closures would be ten thousand objects for the garbage collector. */
function doNotRead(): number {
  return 0;
}

/**
 * Reads on, after {@link stopReading}.
 *
 * @param flows - whether the program gets at once what is read.
 */
export function readOn(socket: Socket, flows = true): void {
  const handle = handleOf(socket);
  if (handle === undefined) return;
  Reflect.deleteProperty(handle, 'readStart');
  // The stream may believe that it reads already, so resume() alone would not start it.
  handle.reading = true;
  handle.readStart?.();
  if (flows) socket.resume();
}

/**
 * Makes a connection of a server from a handle that came from another process, as the server does when it accepts.
 *
 * @param paused - as with `pauseOnConnect`: nothing is read until resume().
 */
export function socketOf(handle: Handle, server?: Server, paused = false): Socket {
  const { allowHalfOpen = true, highWaterMark } = (server ?? {}) as { allowHalfOpen?: boolean; highWaterMark?: number };
  const options = {
    ...{ handle, allowHalfOpen, readable: true, writable: true },
    ...(highWaterMark !== undefined && { readableHighWaterMark: highWaterMark, writableHighWaterMark: highWaterMark }),
  };
  const socket = new net.Socket(options);
  if (!paused) return socket;
  // The constructor has begun to read, but nothing arrives before the event loop goes on.
  socket.pause();
  handle.readStop?.();
  handle.reading = false;
  return socket;
}
