import { type Readable } from 'node:stream';

/** Messages are far shorter; a longer line does not come from this library. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/** Calls `onLine` for each complete line; returns a function that stops it. */
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
