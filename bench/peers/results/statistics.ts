/** The value below which a share of the values lies: 0.5 is the median. NaN without values. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Rounded to so many decimals that nothing that was measured is lost. */
export function rounded(value: number, decimals = 2): number {
  return Number(value.toFixed(decimals));
}
