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
};

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
