import { type Readable } from 'node:stream';

/** A handoff message is far smaller; what is longer comes from no process of ours. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/** Calls `onLine` for each whole line; returns what stops it. */
export function readLines(stream: Readable, onLine: (line: string) => void): () => void {
  let rest = '';
  const onData = (chunk: string): void => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARACTERS) rest = '';
    lines.forEach(onLine);
  };
  stream.setEncoding('utf8').on('data', onData);
  return () => stream.off('data', onData);
}
