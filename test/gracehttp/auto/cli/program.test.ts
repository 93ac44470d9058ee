import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { becomeProgram } from '../../../../gracehttp/auto/cli/program.js';
import { fails } from '../../../support/errors.js';
import { scratch } from '../../../support/scratch.js';

t.test('the program that is meant by a name', async (t) => {
  const folder = scratch(t);
  const { argv } = process;
  const cwd = process.cwd();
  t.teardown(() => {
    process.argv = argv;
    process.chdir(cwd);
  });
  const inner = join(folder, 'src');
  for (const file of ['server.js', 'other.mjs', 'site/index.js', 'node_modules/.bin/next', 'src/x.js', 'next.js', 'package/package.json']) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  const table: readonly (readonly [name: string, directory: string, file: string])[] = [
    ['server.js', folder, 'server.js'],
    ['server', folder, 'server.js'],
    ['./other', folder, 'other.mjs'],
    ['site', folder, 'site/index.js'],
    ['package', folder, 'package'],
    ['next', inner, 'node_modules/.bin/next'],
    ['next', folder, 'next.js'],
    [join(folder, 'server.js'), inner, 'server.js'],
  ];
  for (const [name, directory, file] of table) {
    process.chdir(directory);
    becomeProgram(name, ['--port', '80']);
    t.strictSame(process.argv.slice(1), [join(folder, file), '--port', '80'], `${name} in ${directory}`);
  }
  process.chdir(inner);
  for (const name of ['nothing', './next', '../nothing.js']) {
    await fails(t, () => becomeProgram(name, []), { code: 'PROGRAM_INVALID', subject: 'program', value: name }, name);
  }
});
