import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { Script } from 'node:vm';
import { build } from 'esbuild';
import { shortenLocals } from './shorten.mjs';
import { removeInnerDeclarations, shrinkMaps } from './shrink.mjs';

/** Node.js prints the line of code of an error that nobody caught. */
const LONGEST_LINE = 160;

/**
 * Makes few files of many: Node.js takes about half a millisecond for each ES
 * module, and a successor has to start in the time of a bare server.
 * Comments and spaces are left out and names inside of functions are short, but those
 * of functions and classes are kept: they are in stack traces.
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
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: LONGEST_LINE,
  logLevel: 'warning',
  write: false,
  plugins: [{ name: 'built-ins without import', setup: ({ onEnd }) => onEnd(({ outputFiles }) => writeAll(outputFiles)) }],
};

function writeAll(files, change = (file) => file) {
  const maps = new Map(files.map(({ path, text }) => [path, text]));
  for (const file of files) if (file.path.endsWith('.js')) writeOut(file, maps, change);
}

/** An ES module that a bundler makes has no __filename: it is the program itself. */
const FILE_OF_MODULE = '(typeof __filename==="undefined"?process.argv[1]:__filename)';

/** It can be a script too, which V8 need not compile in each process: see gracehttp/auto/compiled/load.ts. */
function asCommonJs({ path, code }) {
  const exported = /export\{(\w+)\};\n/;
  const script = `"use strict";${code.replaceAll('import.meta.url', FILE_OF_MODULE).replace(exported, 'exports.$1=$1;\n')}`;
  new Script(`(function(){${script}})`, { filename: path });
  if (/\bimport\(|[^\0-\x7f]/.test(script)) throw new Error(`${path}: a script cannot import(), and load.ts reads it as ASCII`);
  return { path: path.replace(/\.js$/, '.cjs'), code: script };
}

/**
 * For `import` of a built-in module Node.js reads all of its properties, and so
 * loads what `node:fs` and `node:net` load on demand; and each statement costs
 * time, of which a bundle has one for each source file.
 */
function writeOut({ path: given, text }, maps, change) {
  const statement = /(?<=^|[;}])import\s*(?:(\w+)\s*,?\s*)?(\{[^}]*\})?\s*from\s*("node:[\w/]+");/gm;
  const from = (module) => `process.getBuiltinModule(${module})`;
  const code = text.replace(statement, (found, whole, named, module) => {
    // The source map counts lines.
    const lineBreaks = found.replace(/[^\n]/g, '');
    const names = [whole, named?.replaceAll(/\sas\s/g, ':')].filter((part) => part !== undefined);
    return names.map((name) => `const ${name}=${from(module)};`).join('') + lineBreaks;
  });
  const { code: module, map } = shortenLocals(code, maps.get(`${given}.map`), { target: common.target, lineLimit: LONGEST_LINE });
  const { path, code: short } = change({ path: given, code: module });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${short}//# sourceMappingURL=${basename(path)}.map\n`);
  writeFileSync(`${path}.map`, map);
}

await build({
  ...common,
  entryPoints: ['lib/index.ts', 'gracehttp/index.ts'],
  chunkNames: 'chunks/[name]-[hash]',
});
// Apart too: most programs do not need it.
await build({ ...common, entryPoints: ['gracehttp/websocket/index.ts'] });
// Apart, as it is loaded before the program, which may not use the rest.
await build({
  ...common,
  entryPoints: { 'gracehttp/auto/compiled/program': 'gracehttp/auto/index.ts' },
  splitting: false,
  plugins: [{ name: 'a CommonJS module', setup: ({ onEnd }) => onEnd(({ outputFiles }) => writeAll(outputFiles, asCommonJs)) }],
});
// What a bundler finds instead, as it has to see the whole program.
writeFileSync('dist/gracehttp/auto/index.js', "import program from './compiled/program.cjs';\nexport const { begin } = program;\n");
await build({ ...common, entryPoints: ['gracehttp/auto/compiled/load.ts'] });
await build({ ...common, entryPoints: ['gracehttp/auto/cli/main.ts'], chunkNames: 'chunks/auto/[name]-[hash]' });
// Apart, as what two bundles share becomes files of its own, which every successor would load.
await build({
  ...common,
  entryPoints: ['starter/index.ts', 'starter/cli/main.ts'],
  chunkNames: 'chunks/starter/[name]-[hash]',
});
shrinkMaps();
removeInnerDeclarations();
