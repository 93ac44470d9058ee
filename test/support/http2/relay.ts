import net, { type Socket } from 'node:net';
import { once } from 'node:events';
import { type Test } from 'tap';
import { portOf } from '../address.js';

/**
 * Passes TCP connections on to a port of 127.0.0.1, and everything that is sent on
 * them later, in both directions: a link with a round trip of twice the delay.
 *
 * @param delay - one way, in milliseconds.
 * @returns the port of the relay.
 */
export async function relayTo(t: Test, port: number, delay: number): Promise<number> {
  const open = new Set<Socket>();
  const relay = net.createServer({ allowHalfOpen: true }, (near) => {
    const far = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    for (const socket of [near, far]) {
      open.add(socket.setNoDelay());
      socket.on('close', () => open.delete(socket));
    }
    pass(near, far, delay);
    pass(far, near, delay);
  });
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  t.teardown(() => {
    relay.close();
    open.forEach((socket) => socket.destroy());
  });
  return portOf(relay);
}

/** Timers of one length fire in the order in which they were set, so the order of what is sent is kept. */
function pass(from: Socket, to: Socket, delay: number): void {
  const later = (run: () => void): void => void setTimeout(() => !to.destroyed && run(), delay);
  let failed = false;
  from.on('data', (chunk) => later(() => to.write(chunk)));
  from.on('end', () => later(() => to.end()));
  from.on('error', () => {
    failed = true;
    later(() => to.resetAndDestroy());
  });
  from.on('close', () => !failed && later(() => to.destroySoon()));
}
