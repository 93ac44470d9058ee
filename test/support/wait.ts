import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 5;
/** A condition that has not come by then does not come. */
const PATIENCE_MS = 30_000;

/** Waits for a condition; fails with what was there where it does not come. */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  report: () => string = () => '',
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}\n${report()}`);
    await sleep(LOOK_EVERY_MS);
  }
}

/** Whether a process exists; a zombie does. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Whether a process runs; a zombie, which waits for a parent that does not care, does not. */
export function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
