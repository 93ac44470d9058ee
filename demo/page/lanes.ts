/** Things that last, each with the row in which it is drawn. */
export interface Placed<T> {
  readonly item: T;
  readonly row: number;
}

interface Lasting {
  readonly from: number;
  readonly until?: number | undefined;
}

/**
 * Puts each item into the first row that is free for it, in the order in which
 * they began. If all rows are taken, it goes into the last one.
 *
 * @param gap - how long a row stays free behind an item.
 */
export function intoRows<T extends Lasting>(items: readonly T[], rows: number, gap: number): Placed<T>[] {
  const ends = Array<number>(rows).fill(-Infinity);
  return items.map((item) => {
    const free = ends.findIndex((end) => end + gap <= item.from);
    const row = free === -1 ? rows - 1 : free;
    ends[row] = Math.max(ends[row]!, item.until ?? Infinity);
    return { item, row };
  });
}
