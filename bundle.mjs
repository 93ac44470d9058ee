import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
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

function writeAll(files) {
  const maps = new Map(files.map(({ path, text }) => [path, text]));
  for (const file of files) if (file.path.endsWith('.js')) writeOut(file, maps);
}

/**
 * For `import` of a built-in module Node.js reads all of its properties, and so
 * loads what `node:fs` and `node:net` load on demand; and each statement costs
 * time, of which a bundle has one for each source file.
 */
function writeOut({ path, text }, maps) {
  const statement = /(?<=^|[;}])import\s*(?:(\w+)\s*,?\s*)?(\{[^}]*\})?\s*from\s*("node:[\w/]+");/gm;
  const from = (module) => `process.getBuiltinModule(${module})`;
  const code = text.replace(statement, (found, whole, named, module) => {
    // The source map counts lines.
    const lineBreaks = found.replace(/[^\n]/g, '');
    const names = [whole, named?.replaceAll(/\sas\s/g, ':')].filter((part) => part !== undefined);
    return names.map((name) => `const ${name}=${from(module)};`).join('') + lineBreaks;
  });
  const { code: short, map } = shortenLocals(code, maps.get(`${path}.map`), { target: common.target, lineLimit: LONGEST_LINE });
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
