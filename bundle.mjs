import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { build } from 'esbuild';
import { removeInnerDeclarations, shrinkMaps } from './shrink.mjs';

/**
 * Makes few files of many: Node.js takes about half a millisecond for each ES
 * module, and a successor has to start in the time of a bare server.
 */
const common = {
  outdir: 'dist',
  outbase: '.',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
  write: false,
  plugins: [{ name: 'built-ins without import', setup: ({ onEnd }) => onEnd(({ outputFiles }) => outputFiles.forEach(writeOut)) }],
};

/**
 * For `import` of a built-in module Node.js reads all of its properties, and so
 * loads what `node:fs` and `node:net` load on demand; and each statement costs
 * time, of which a bundle has one for each source file.
 */
function writeOut({ path, text }) {
  const statement = /^import (?:(\w+)(?:, )?)?(\{[^}]*\})? from ("node:[\w/]+");$/gm;
  const from = (module) => `process.getBuiltinModule(${module})`;
  const code = text.replace(statement, (_, whole, named, module) => {
    const names = [whole, named?.replaceAll(' as ', ': ')].filter((part) => part !== undefined);
    return names.map((name) => `const ${name} = ${from(module)};`).join(' ');
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, code);
}

await build({
  ...common,
  entryPoints: ['lib/index.ts', 'gracehttp/index.ts'],
  chunkNames: 'chunks/[name]-[hash]',
});
// Apart too: most programs do not need it.
await build({ ...common, entryPoints: ['gracehttp/websocket/index.ts'] });
// Apart, as it is loaded before the program, which may not use the rest.
await build({ ...common, entryPoints: ['gracehttp/auto/index.ts'] });
await build({ ...common, entryPoints: ['gracehttp/auto/cli/main.ts'], chunkNames: 'chunks/auto/[name]-[hash]' });
// Apart, as what two bundles share becomes files of its own, which every successor would load.
await build({
  ...common,
  entryPoints: ['starter/index.ts', 'starter/cli/main.ts'],
  chunkNames: 'chunks/starter/[name]-[hash]',
});
shrinkMaps();
removeInnerDeclarations();
