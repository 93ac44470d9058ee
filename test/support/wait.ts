import { setTimeout as sleep } from 'node:timers/promises';

const LOOK_EVERY_MS = 5;
/** Longer than any condition takes on a busy machine. */
const PATIENCE_MS = 30_000;

/** Waits for a condition. If it does not come, fails with `report()`, which says what was there. */
export async function waitUntil(what: string, condition: () => boolean | Promise<boolean>, report: () => string = () => ''): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not come within ${PATIENCE_MS} ms\n${report()}`);
    await sleep(LOOK_EVERY_MS);
  }
}
