/** A function from values to pixels, and the values that an axis names. */
export interface Scale {
  (value: number): number;
  readonly ticks: readonly number[];
}

/** The powers of ten, of two and of five times them from `least` to `most`. */
export function roundValues(least: number, most: number, steps: readonly number[] = [1, 2, 5]): number[] {
  const values: number[] = [];
  for (let power = Math.floor(Math.log10(least)); 10 ** power <= most; power += 1) values.push(...steps.map((step) => step * 10 ** power));
  return values.filter((value) => value >= least && value <= most);
}

export function logarithmic(least: number, most: number, from: number, to: number, steps?: readonly number[]): Scale {
  const scale = (value: number): number =>
    from + ((Math.log(Math.max(value, least)) - Math.log(least)) / (Math.log(most) - Math.log(least))) * (to - from);
  return Object.assign(scale, { ticks: roundValues(least, most, steps) });
}

/** Logarithmic above one, with a place for zero. */
export function fromZero(most: number, from: number, to: number): Scale {
  const scale = (value: number): number => from + (Math.log1p(value) / Math.log1p(most)) * (to - from);
  return Object.assign(scale, { ticks: [0, ...roundValues(1, most, [1])] });
}

export function linear(most: number, from: number, to: number): Scale {
  const step = roundValues(most / 6, most)[0] ?? most;
  const scale = (value: number): number => from + (value / most) * (to - from);
  return Object.assign(scale, { ticks: Array.from({ length: Math.floor(most / step) + 1 }, (_, index) => index * step) });
}
