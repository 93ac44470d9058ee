import { type Socket } from 'node:net';

/** What a stream calls when it is destroyed; the public types have it for subclasses only. */
interface Destroys {
  _destroy(error: Error | null, done: (error?: Error | null) => void): void;
}

/**
 * Makes a function that calls the handler when a connection has closed.
 *
 * A listener for 'close' would take 210 bytes of each idle connection, because
 * Node.js makes a list of listeners, and room for more. So it is added when the
 * connection is destroyed, by one function for all connections.
 */
export function closeWatcher(onClose: (socket: Socket) => void): (socket: Socket) => void {
  const closed = function closedConnection(this: Socket): void {
    onClose(this);
  };
  const destroy: Destroys['_destroy'] = function destroyWatched(this: Socket & Destroys, error, done) {
    this.on('close', closed);
    (Object.getPrototypeOf(this) as Destroys)._destroy.call(this, error, done);
  };
  return (socket) => {
    if (socket.destroyed || Object.hasOwn(socket, '_destroy')) socket.on('close', closed);
    else (socket as unknown as Destroys)._destroy = destroy;
  };
}
