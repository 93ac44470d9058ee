import { median } from './statistics.js';
import { type TurnResult } from './turn-result.js';

/** A figure over some turns; null if no turn has it. */
export interface Spread {
  readonly median: number | null;
  readonly least: number | null;
  readonly most: number | null;
}

export function spreadOf(turns: readonly TurnResult[], key: keyof TurnResult): Spread {
  const values = turns.map((turn) => turn[key]).filter((value) => value !== null);
  if (values.length === 0) return { median: null, least: null, most: null };
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}
