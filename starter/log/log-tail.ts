import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

const STDERR = 2;
const MAX_BYTES = 4_096;
const MAX_LINES = 8;

/** A place in a log that is a regular file; undefined if it is not one. */
export type TailMark = { readonly fd: number; readonly from: number } | undefined;

/** Remembers where the log ends now. @param fd - undefined: stderr of this process. */
export function markTail(fd = STDERR): TailMark {
  try {
    const stats = fstatSync(fd);
    return stats.isFile() ? { fd, from: stats.size } : undefined;
  } catch {
    return undefined;
  }
}

/** The last lines that were written since; empty if they cannot be read. */
export function readTail(mark: TailMark): string {
  if (mark === undefined) return '';
  try {
    const { size } = fstatSync(mark.fd);
    const from = Math.max(mark.from, size - MAX_BYTES);
    return size > from ? lastLines(read(mark.fd, from, size - from)) : '';
  } catch {
    return '';
  }
}

/** The descriptor is open for writing only. */
function read(fd: number, from: number, length: number): string {
  const reader = openSync(`/proc/self/fd/${fd}`, 'r');
  try {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(reader, buffer, 0, length, from)).toString();
  } finally {
    closeSync(reader);
  }
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-MAX_LINES).join('\n');
}
