import { readdirSync } from 'node:fs';
import { onSignals } from '../../lib/on-signals.js';
import { zombieChildren } from '../../lib/process-table.js';

/** Signals that an init passes on; the others have their meaning for start_server itself. */
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGWINCH'];
const LOOK_EVERY_MS = 60_000;
/** A worker that has just ended is a zombie for a moment. */
const MANY = 10;

/**
 * The duties of process 1, as in a container. Node.js waits only for processes
 * that it started itself: the orphans that workers leave behind stay zombies
 * when they end. That cannot be helped from here, so it is said.
 *
 * @returns what ends it.
 */
export function asInit(passOn: (signal: NodeJS.Signals) => void, say: (message: string) => void): () => void {
  const remove = onSignals(PASSED_ON, passOn);
  const timer = setInterval(() => {
    const zombies = zombieChildren(readdirSync('/proc').map(Number).filter(Number.isInteger)).length;
    if (zombies < MANY) return;
    say(`${zombies} orphaned processes ended and cannot be reaped by Node.js; run an init before it (docker run --init)`);
    clearInterval(timer);
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    remove();
  };
}
