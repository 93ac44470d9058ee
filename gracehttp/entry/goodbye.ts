import { type Server } from 'node:net';
import { messageOf } from '../../lib/errors.js';
import { type DrainReason } from '../../lib/events.js';
import { warn } from '../../lib/log.js';
import { type Service } from '../../lib/socket/service.js';
import { likeService } from '../like-service.js';

/** Tells the clients of a server to leave: the option `onDrain`. */
export type OnDrain = (server: Server, reason: DrainReason) => unknown;

/**
 * A service that calls `onDrain` when no new connection can come: a client that
 * is told to leave earlier would come back to the same process. The drain waits
 * for the promise that it returns, and for the connections.
 */
export function withGoodbye(service: Service, goodbye: () => unknown): Service {
  let pending = false;
  const sayGoodbye = async (): Promise<void> => {
    pending = true;
    try {
      await goodbye();
    } catch (error) {
      warn(`onDrain failed: ${error instanceof Error ? error.stack : messageOf(error)}`);
    }
    pending = false;
  };
  return likeService(service, {
    finished: async () => {
      await Promise.all([service.finished(), sayGoodbye()]);
    },
    cutOff: () => {
      if (pending) warn('onDrain did not finish before the deadline');
      return service.cutOff();
    },
  });
}
