import { type Readable } from 'node:stream';

/** Messages are far shorter; a longer line does not come from this library. */
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;

/**
 * Calls `onLine` for each complete line; returns a function that stops it. A line
 * above the limit is dropped. Each character is looked at once, however many
 * pieces a line comes in.
 */
export function readLines(stream: Readable, onLine: (line: string) => void): () => void {
  let pieces: string[] = [];
  let length = 0;
  const add = (piece: string): void => {
    length += piece.length;
    if (length > MAX_LINE_CHARACTERS) pieces = [];
    else pieces.push(piece);
  };
  const endLine = (): void => {
    const line = length > MAX_LINE_CHARACTERS ? undefined : pieces.join('');
    pieces = [];
    length = 0;
    if (line !== undefined) onLine(line);
  };
  const onData = (chunk: string): void => {
    let start = 0;
    for (let end = chunk.indexOf('\n'); end !== -1; end = chunk.indexOf('\n', start)) {
      add(chunk.slice(start, end));
      start = end + 1;
      endLine();
    }
    add(chunk.slice(start));
  };
  stream.setEncoding('utf8').on('data', onData);
  return () => stream.off('data', onData);
}
