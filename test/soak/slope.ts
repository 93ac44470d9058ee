/** The middle of some numbers. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/**
 * How much the median of the last tenth of some values is above that of the first
 * tenth, and which share of the latter that is.
 */
export function change(values: readonly number[]): { readonly by: number; readonly share: number } {
  const tenth = Math.max(1, Math.floor(values.length / 10));
  const first = median(values.slice(0, tenth));
  const by = median(values.slice(-tenth)) - first;
  return { by, share: by / first };
}
