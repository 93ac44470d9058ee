import { type GraceListener } from '../../lib/socket/listener.js';

/**
 * A key for each socket, which is the same in two generations: the address and the
 * name that were asked for. If several sockets have these in common, for example
 * port 0, the key also has a number from the second one on.
 */
export function socketKeys(listeners: readonly Pick<GraceListener, 'asked' | 'name'>[]): string[] {
  const seen = new Map<string, number>();
  return listeners.map(({ asked, name }) => {
    const key = `${asked} ${name ?? ''}`;
    const count = (seen.get(key) ?? 0) + 1;
    seen.set(key, count);
    return count === 1 ? key : `${key} ${count}`;
  });
}
