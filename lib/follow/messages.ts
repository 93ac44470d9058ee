import { formatLine, isCount, isRecord, parseRecord } from '../handoff/json.js';

/** From a later generation to the first process: that it serves now, and the code it exits with. */
export type GenerationMessage =
  | { readonly type: 'serving'; readonly pid: number }
  | { readonly type: 'exit'; readonly pid: number; readonly code: number };

/** From the first process: a signal that it got, meant for the generation that serves. */
export interface SignalMessage {
  readonly type: 'signal';
  readonly signal: NodeJS.Signals;
  /** Whether it sent the signal to itself. */
  readonly self: boolean;
}

/** Key under which a generation that has handed over tells its successor a signal that it still read, see Carried.tell(). */
export const LATE_SIGNAL = 'grace.signal';

export function formatFollowMessage(message: GenerationMessage | SignalMessage): string {
  return formatLine(message);
}

/** Reads a line that a generation wrote to the first process; undefined if it is not a known message. */
export function parseGenerationMessage(line: string): GenerationMessage | undefined {
  const { type, pid, code } = parseRecord(line) ?? {};
  if (!isCount(pid)) return undefined;
  if (type === 'serving') return { type, pid };
  return type === 'exit' && isCount(code) ? { type, pid, code } : undefined;
}

/** Reads a line that the first process wrote; undefined if it is not a known message. */
export function parseSignalMessage(line: string): SignalMessage | undefined {
  return readSignalMessage(parseRecord(line));
}

/** The same for a message that came in another way than as a line. */
export function readSignalMessage(data: unknown): SignalMessage | undefined {
  const { type, signal, self } = isRecord(data) ? data : {};
  const valid = type === 'signal' && typeof signal === 'string' && /^SIG[A-Z0-9]+$/.test(signal);
  return valid ? { type, signal: signal as NodeJS.Signals, self: self === true } : undefined;
}
