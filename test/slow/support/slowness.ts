import { median } from '../../soak/slope.js';

/** A machine that starts a program within this time is fast enough for the times that tests demand. */
const START_MS = 250;

/** How many times as long everything may take here. At least 1. */
export function slowness(starts: readonly number[]): number {
  return Math.max(1, median(starts) / START_MS);
}
