import { readdirSync } from 'node:fs';
import { zombieChildren } from '../../lib/process-table.js';
import { onSignals } from '../../lib/on-signals.js';

/** Signals that process 1 passes on; the others mean something to start_server itself. */
const PASSED_ON: readonly NodeJS.Signals[] = ['SIGUSR1', 'SIGUSR2', 'SIGQUIT', 'SIGWINCH'];
const CHECK_EVERY_MS = 60_000;
/** A worker that has just exited is a zombie for a moment, so a few are normal. */
const ZOMBIES_TO_REPORT = 10;

/**
 * Does what process 1 has to do, for example in a container: passes signals on
 * to the workers. It cannot reap orphans: Node.js waits only for processes that
 * it started itself, so the orphans of workers stay zombies. It says so once.
 *
 * @returns what stops it.
 */
export function actAsProcessOne(passOn: (signal: NodeJS.Signals) => void, say: (message: string) => void): () => void {
  const remove = onSignals(PASSED_ON, passOn);
  const timer = setInterval(() => {
    const zombies = zombieChildren(readdirSync('/proc').map(Number).filter(Number.isInteger)).length;
    if (zombies < ZOMBIES_TO_REPORT) return;
    say(`${zombies} orphaned processes have exited and Node.js cannot reap them: use an init process (docker run --init)`);
    clearInterval(timer);
  }, CHECK_EVERY_MS);
  return () => {
    clearInterval(timer);
    remove();
  };
}
