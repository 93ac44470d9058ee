import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import t from 'tap';
import { getBody } from '../../support/http/client.js';
import { start } from '../../support/program.js';
import { goodRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';

/** What bundlers do to functions. tsup sets keepNames; a coverage tool adds counters, as `banner` and `inject` would. */
const BUNDLES = [
  { name: 'esbuild --keep-names', options: { keepNames: true } },
  {
    name: 'esbuild --keep-names --minify --target=es2017',
    options: {
      keepNames: true,
      minify: true,
      target: 'es2017',
      supported: { 'dynamic-import': true, 'top-level-await': true, 'import-meta': true },
    },
  },
];

for (const { name, options } of BUNDLES) {
  t.test(`a program that was bundled by ${name} restarts`, async (t) => {
    const folder = scratch(t);
    const [source, bundle] = [join(folder, 'server.mjs'), join(folder, 'bundle.mjs')];
    writeFileSync(source, goodRelease('bundled', '127.0.0.1:0').replaceAll('file://', ''));
    buildSync({ ...options, entryPoints: [source], outfile: bundle, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
    const program = start(t, bundle);
    await program.announced('ready');
    process.kill(program.pid, 'SIGUSR2');
    const { addresses, generation } = await program.announced('ready', 2);
    t.equal(generation, 2, program.report());
    t.match(await program.exited, { code: 0 });
    t.equal(await getBody((addresses as string[])[0]!), 'bundled');
  });
}
