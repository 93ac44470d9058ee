import { readdirSync } from 'node:fs';
import { zombieChildren } from '../../lib/process-table.js';

const CHECK_EVERY_MS = 60_000;
/** A worker that has just exited is a zombie for a moment, so a few are normal. */
const ZOMBIES_TO_REPORT = 10;

/**
 * Process 1, for example in a container, cannot reap orphans if it is Node.js,
 * which waits only for processes that it started itself: the orphans of workers
 * stay zombies. This says so once.
 *
 * @returns what stops it.
 */
export function reportZombies(say: (message: string) => void): () => void {
  const timer = setInterval(() => {
    const zombies = zombieChildren(listPids()).length;
    if (zombies < ZOMBIES_TO_REPORT) return;
    say(`${zombies} orphaned processes have exited and Node.js cannot reap them: use an init process (docker run --init)`);
    clearInterval(timer);
  }, CHECK_EVERY_MS);
  return () => clearInterval(timer);
}

/** Empty if there is no descriptor left to read them. */
function listPids(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}
