import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import t, { type Test } from 'tap';
import { scratch } from './support/scratch.js';
import { skipUnlessFound } from './support/skip.js';
import { ROOT } from './support/sources.js';

const skip = skipUnlessFound('grep', 'sed', 'mktemp', 'tee');

interface Run {
  readonly code: number | null;
  readonly lines: readonly string[];
}

/** Runs a copy of `.ci/run`. Programs that it calls are replaced: apt-get does nothing, and npm is a shell script. */
function runWith(t: Test, npm: string, aptGet = 'exit 0'): Run {
  const folder = scratch(t);
  const bin = join(folder, 'bin');
  for (const path of [bin, join(folder, '.ci')]) mkdirSync(path);
  cpSync(join(ROOT, '.ci/run'), join(folder, '.ci/run'));
  for (const [name, text] of Object.entries({ npm, 'apt-get': aptGet })) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const env = { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` };
  const { status, stdout } = spawnSync(join(folder, '.ci/run'), { env, encoding: 'utf8' });
  return { code: status, lines: stdout.trimEnd().split('\n') };
}

/** An npm whose `test` prints these counts and exits with this code, and whose `test:slow` has two tests that pass. */
const prints = (counts: string, code: number): string => `case "$1" in
  test) echo '# { total: 9, ${counts} }'; exit ${code} ;;
  run) echo '# { total: 2, pass: 2 }' ;;
esac`;

const RUNS: readonly {
  readonly name: string;
  readonly npm: string;
  readonly aptGet?: string;
  readonly code: number;
  readonly last: string;
  readonly says?: string;
}[] = [
  { name: 'all pass, the slow ones too', npm: prints('pass: 9', 0), code: 0, last: '11 passed, 0 failed' },
  { name: 'some fail', npm: prints('pass: 7, fail: 2', 1), code: 1, last: '7 passed, 2 failed' },
  {
    name: 'a slow one fails',
    npm: `${prints('pass: 9', 0)}; [ "$1" != run ] || { echo '# { total: 1, fail: 1 }'; exit 1; }`,
    code: 1,
    last: '11 passed, 1 failed',
  },
  { name: 'no slow one runs', npm: `[ "$1" != run ] || exit 1; ${prints('pass: 9', 0)}`, code: 1, last: '9 passed, 1 failed' },
  {
    name: 'some are skipped',
    npm: prints('pass: 6, skip: 2, todo: 1', 0),
    code: 1,
    last: '8 passed, 3 failed',
    says: '3 tests were skipped, which no test may be here',
  },
  { name: 'npm test fails though each test passed', npm: prints('pass: 9', 1), code: 1, last: '9 passed, 1 failed' },
  { name: 'npm test prints no counts', npm: 'exit 0', code: 1, last: '0 passed, 1 failed', says: 'no test ran' },
  {
    name: 'the build fails',
    npm: '[ "$1" = ci ] && exit 0; echo TS2322; exit 2',
    code: 1,
    last: '0 passed, 1 failed',
    says: 'no test ran',
  },
  {
    name: 'npm ci fails',
    npm: '[ "$1" = ci ] && exit 1; echo "# { total: 9, pass: 9 }"',
    code: 1,
    last: '0 passed, 1 failed',
    says: 'no test ran',
  },
  { name: 'apt-get fails', npm: prints('pass: 9', 0), aptGet: 'exit 100', code: 1, last: '0 passed, 1 failed', says: 'no test ran' },
];

for (const { name, npm, aptGet, code, last, says = last } of RUNS) {
  t.test(`.ci/run: ${name}`, { skip }, async (t) => {
    const run = runWith(t, npm, aptGet);
    t.equal(run.code, code);
    t.equal(run.lines.at(-1), last, 'the last line has the counts');
    t.ok(run.lines.includes(says), says);
  });
}

t.test('.ci/run: tests run with CI set, so that nothing is skipped', { skip }, async (t) => {
  const { lines } = runWith(t, 'echo "$1 with CI=$CI"; echo "# { total: 1, pass: 1 }"');
  t.ok(lines.includes('test with CI=true'));
  t.ok(lines.includes('run with CI=true'));
});
