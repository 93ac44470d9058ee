/** A value as one line of JSON, which is how messages go through a pipe. */
export function formatLine(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/** Reads a JSON object; undefined if the text is anything else. */
export function parseRecord(text: string): Record<string, unknown> | undefined {
  try {
    const data: unknown = JSON.parse(text);
    return isRecord(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a value is an object and not an array. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a whole number from 0 on: a pid, a descriptor, an exit code. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
