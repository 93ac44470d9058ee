import { type EventEmitter } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { type Socket } from 'node:net';

type OnUpgrade = (request: IncomingMessage, socket: Socket) => void;

/**
 * Tells of connections that leave HTTP: by `Upgrade` (WebSocket) or `CONNECT`.
 * A listener of ours is there only while the program has one, as Node.js takes
 * a server without for one that does not upgrade.
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
    // 'newListener' comes before the listener is there.
    server.on('newListener', (name) => {
      if (name === event) process.nextTick(follow);
    });
    server.on('removeListener', (name) => {
      if (name === event) process.nextTick(follow);
    });
  }
}
