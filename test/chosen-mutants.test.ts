import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { CHOSEN, placed, testsOfChosen } from './mutants/chosen/all.js';
import { mutated } from './mutants/mutate.js';
import { ROOT, readSource } from './support/sources.js';

t.test('each chosen mutant still changes its file, compiles, and has tests that npm test runs', async (t) => {
  for (const chosen of CHOSEN) {
    const text = readSource(chosen.file);
    const changed = mutated(text, placed(chosen, text));
    t.not(changed, text, chosen.what);
    const { diagnostics = [] } = ts.transpileModule(changed, { reportDiagnostics: true, fileName: chosen.file });
    t.strictSame(
      diagnostics.map(({ messageText }) => messageText),
      [],
      `${chosen.what}: compiles`,
    );
    const tests = testsOfChosen(chosen);
    t.ok(
      tests.length > 0 && tests.every((test) => existsSync(join(ROOT, test)) && !test.startsWith('test/slow/')),
      `${chosen.what}: ${tests.join(' ')}`,
    );
  }
});

t.test('a mutant whose file has changed since is an error', async (t) => {
  const chosen = { ...CHOSEN[0]!, before: 'b', after: 'c' };
  t.match(placed(chosen, 'a\nb'), { line: 2, from: 2, to: 3 });
  t.throws(() => placed(chosen, 'a'), /choose this mutant anew/);
  t.throws(() => placed(chosen, 'b b'), /twice/);
});
