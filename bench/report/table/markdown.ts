/** A table; the first column is aligned to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '--:')), ...rows];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** A number with three digits, and a space between thousands: `0.31`, `2.44`, `87`, `13 900`. */
export function short(value: number | null): string {
  if (value === null) return '–';
  if (Number.isInteger(value) && value < 1_000) return String(value);
  if (value < 10) return String(Number(value.toPrecision(value < 1 ? 2 : 3)));
  return grouped(Number(value.toPrecision(3)));
}

/** A whole number with a space between thousands. */
export function grouped(value: number): string {
  return Math.round(value).toLocaleString('en').replaceAll(',', ' ');
}
