import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { readLines } from '../../../lib/handoff/lines.js';
import assert from 'node:assert/strict';
import fc from 'fast-check';

const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;
const turn = (): Promise<void> => new Promise((done) => setImmediate(done));

const cases: readonly (readonly [what: string, chunks: readonly (string | Buffer)[], lines: readonly string[]])[] = [
  ['one line', ['a\n'], ['a']],
  ['lines in one piece', ['a\nb\nc\n'], ['a', 'b', 'c']],
  ['a line in pieces', ['a', 'b', 'c\nd', '\n'], ['abc', 'd']],
  ['empty lines', ['\n\na\n'], ['', '', 'a']],
  ['a line without a newline', ['a\nb'], ['a']],
  ['nothing', [], []],
  ['a character in two pieces', [Buffer.from('ä\n').subarray(0, 1), Buffer.from('ä\n').subarray(1)], ['ä']],
  ['a carriage return belongs to the line', ['a\r\n'], ['a\r']],
];

for (const [what, chunks, lines] of cases) {
  t.test(what, async (t) => {
    const stream = new PassThrough();
    const found: string[] = [];
    readLines(stream, (line) => found.push(line));
    for (const chunk of chunks) {
      stream.write(chunk);
      await turn();
    }
    stream.end();
    await turn();
    t.strictSame(found, lines);
  });
}

t.test('reading can be stopped', async (t) => {
  const stream = new PassThrough();
  const found: string[] = [];
  const stop = readLines(stream, (line) => found.push(line));
  stream.write('a\n');
  await turn();
  stop();
  stream.write('b\n');
  await turn();
  t.strictSame(found, ['a']);
  t.equal(stream.listenerCount('data'), 0);
});

t.test('a line that is too long is dropped', async (t) => {
  const stream = new PassThrough();
  const found: string[] = [];
  readLines(stream, (line) => found.push(line));
  stream.write('x'.repeat(MAX_LINE_CHARACTERS + 1));
  await turn();
  stream.write('its end\nafter it\n');
  await turn();
  t.strictSame(found, ['after it']);
});

/** Characters that V8 has to copy to read a line in pieces, measured by time. */
async function timeToRead(pieces: number): Promise<number> {
  const stream = new EventEmitter() as unknown as PassThrough;
  stream.setEncoding = () => stream;
  let length = 0;
  readLines(stream, (line) => {
    length = line.length;
  });
  const begin = performance.now();
  for (let piece = 0; piece < pieces; piece += 1) stream.emit('data', 'x'.repeat(16));
  stream.emit('data', '\n');
  if (length !== pieces * 16) throw new Error(`the line has ${length} characters`);
  return performance.now() - begin;
}

t.test('a line in many pieces is read in linear time', async (t) => {
  await timeToRead(1_000);
  const [short, long] = [await timeToRead(4_000), await timeToRead(64_000)];
  t.ok(long < 100 * Math.max(short, 1), `16 times the pieces: ${short} ms and ${long} ms; 256 times as long would be quadratic`);
});

t.test('lines are read as they were written, in whatever pieces they come', async (t) => {
  const lines = fc.array(fc.string({ unit: 'binary' }).filter((line) => !line.includes('\n')));
  const property = fc.asyncProperty(lines, fc.array(fc.nat()), async (written, cuts) => {
    const bytes = Buffer.from(written.map((line) => `${line}\n`).join(''));
    const ends = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
    const stream = new PassThrough();
    const found: string[] = [];
    readLines(stream, (line) => found.push(line));
    let start = 0;
    for (const end of [...ends, bytes.length]) {
      stream.write(bytes.subarray(start, end));
      start = end;
    }
    stream.end();
    await new Promise((done) => stream.once('end', done));
    assert.deepEqual(found, written);
  });
  await t.resolves(fc.assert(property));
});
