import { type EventEmitter } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';

type OnUpgrade = (request: IncomingMessage, socket: Socket) => void;

/**
 * Calls the handler for connections that leave HTTP, by `Upgrade` (WebSocket) or
 * `CONNECT`. It listens only while the program does: without any listener,
 * Node.js knows that the server does not upgrade.
 */
export function onUpgrade(server: EventEmitter, handler: OnUpgrade): void {
  for (const event of ['upgrade', 'connect']) {
    const follow = (): void => {
      const others = server.listeners(event).filter((listener) => listener !== handler).length;
      const ours = server.listeners(event).length - others;
      if (others > 0 && ours === 0) server.prependListener(event, handler);
      if (others === 0 && ours > 0) server.off(event, handler);
    };
    follow();
    // 'newListener' is emitted before the listener is added.
    server.on('newListener', (name) => {
      if (name === event) process.nextTick(follow);
    });
    server.on('removeListener', (name) => {
      if (name === event) process.nextTick(follow);
    });
  }
}
