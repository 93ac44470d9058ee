const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };
const DURATION = /^(\d+(\.\d+)?(ms|s|m))+$/;
/** The longest time that setTimeout() takes. */
const MAX_MS = 2 ** 31 - 1;

/**
 * Parses a duration in Go's notation: `300ms`, `20s`, `1m30s`, `1.5s`, `0`.
 *
 * @returns milliseconds, or undefined for anything else.
 */
export function parseDuration(text: string): number | undefined {
  if (text === '0') return 0;
  if (!DURATION.test(text)) return undefined;
  let milliseconds = 0;
  for (const [, number = '', unit = ''] of text.matchAll(/([\d.]+)(ms|s|m)/g)) {
    milliseconds += Number(number) * UNITS[unit]!;
  }
  return milliseconds <= MAX_MS ? milliseconds : undefined;
}
