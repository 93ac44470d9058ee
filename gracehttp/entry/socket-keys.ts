import { type GraceListener } from '../../lib/socket/listener.js';

/**
 * A key for each socket by which two generations mean the same one: the address
 * and the name that were asked for, and a number from the second one of these on,
 * as several servers may ask for port 0.
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
