/** A connection was there, and no whole answer came. */
export const LOST = 0;
/** Nobody listened. */
export const REFUSED = -1;

/** One request of a client. */
export interface RequestRecord {
  /** On the clock of {@link now}. */
  readonly begin: number;
  readonly end: number;
  /** The process that answered, {@link LOST} or {@link REFUSED}. */
  readonly pid: number;
  /** A keep-alive client had to connect again for it. */
  readonly reconnected: boolean;
}

/** Milliseconds on a clock that all processes of the machine share (CLOCK_MONOTONIC). */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const NUMBERS_EACH = 4;

/** Records as plain numbers, so that many of them pass through a channel fast. */
export function pack(records: readonly RequestRecord[]): Float64Array {
  return Float64Array.from(records.flatMap(({ begin, end, pid, reconnected }) => [begin, end, pid, Number(reconnected)]));
}

export function unpack(numbers: Float64Array): RequestRecord[] {
  return Array.from({ length: numbers.length / NUMBERS_EACH }, (_, index) => {
    const [begin = 0, end = 0, pid = 0, reconnected = 0] = numbers.subarray(index * NUMBERS_EACH, (index + 1) * NUMBERS_EACH);
    return { begin, end, pid, reconnected: reconnected === 1 };
  });
}
