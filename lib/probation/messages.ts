import { isCount, isRecord } from '../handoff/json.js';

/** Key under which both processes speak about the probation, see Carried. */
export const PROBATION = 'grace.probation';

/** What the old process leaves in the greeting. Times are in milliseconds. */
export interface Terms {
  readonly time: number;
  /** Without a sign of life for this time, the new process is killed. 0: never. */
  readonly hang: number;
}

/** From the new process: a sign of life; that it is broken; that the old process is not needed any more. */
export type FromNewcomer = { readonly type: 'beat' } | { readonly type: 'fail'; readonly reason: string } | { readonly type: 'over' };

/** From the old process: that it accepts again; that it never will. */
export type FromStandby = { readonly type: 'accepts' } | { readonly type: 'released' };

/** Undefined without probation, and from versions that do not know it. */
export function readTerms(value: unknown): Terms | undefined {
  const { time, hang } = isRecord(value) ? value : {};
  return isCount(time) && isCount(hang) && time > 0 ? { time, hang } : undefined;
}

export function readFromNewcomer(value: unknown): FromNewcomer | undefined {
  const { type, reason } = isRecord(value) ? value : {};
  if (type === 'beat' || type === 'over') return { type };
  return type === 'fail' && typeof reason === 'string' ? { type, reason } : undefined;
}

export function readFromStandby(value: unknown): FromStandby | undefined {
  const { type } = isRecord(value) ? value : {};
  return type === 'accepts' || type === 'released' ? { type } : undefined;
}
