import { dirname } from 'node:path';
import t from 'tap';
import { filesOf, readSource } from './support/sources.js';

const LIBRARY = ['lib', 'gracehttp', 'starter'];
const MIRRORED = [...LIBRARY, 'demo'];
const FILES_AT_THE_TOP = 12;
const FILES_IN_A_FOLDER = 15;
const LINES_IN_A_FILE = 280;
/** How many of some files lie in each folder. */
function countByFolder(files: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  return counts;
}

function linesOf(text: string): number {
  return text.split('\n').length - 1;
}

/** The source that a test file belongs to: its path without `test/` and `.test`. */
function sourceOf(test: string): string {
  return test.replace(/^test\//, '').replace(/\.test\.ts$/, '.ts');
}

for (const folder of [...LIBRARY, 'demo', 'bench', 'test']) {
  t.test(`${folder}: few files in a folder, few lines in a file`, async (t) => {
    const files = filesOf(folder);
    const counts = countByFolder(files);
    t.ok(files.length > 0, `${files.length} files in ${counts.size} folders`);
    const top = counts.get(folder) ?? 0;
    t.ok(top > 0 && top <= FILES_AT_THE_TOP, `${top} files at the top of ${folder}, at most ${FILES_AT_THE_TOP}`);
    for (const [inner, count] of counts) t.ok(count <= FILES_IN_A_FOLDER, `${count} files in ${inner}, at most ${FILES_IN_A_FOLDER}`);
    const long = files.filter((file) => !file.endsWith('.test.ts') && linesOf(readSource(file)) > LINES_IN_A_FILE);
    t.strictSame(long, [], `each file has at most ${LINES_IN_A_FILE} lines`);
  });
}

for (const folder of MIRRORED) {
  t.test(`test/${folder}: the path of a test is that of its source`, async (t) => {
    const tests = filesOf(`test/${folder}`);
    const sources = new Set(filesOf(folder));
    t.ok(tests.length > 0, `${tests.length} files`);
    for (const test of tests) t.ok(sources.has(sourceOf(test)), `${test} tests ${sourceOf(test)}`);
  });
}

t.test('these checks count and compare as they should', async (t) => {
  t.strictSame(
    [...countByFolder(['a/b.ts', 'a/c.ts', 'a/d/e.ts'])],
    [
      ['a', 2],
      ['a/d', 1],
    ],
  );
  t.equal(linesOf('one\ntwo\n'), 2);
  t.equal(sourceOf('test/lib/address/match.test.ts'), 'lib/address/match.ts');
});
