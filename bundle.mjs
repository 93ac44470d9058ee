import { build } from 'esbuild';

/**
 * Makes few files of many: Node.js takes about half a millisecond for each ES
 * module, and a successor has to start in the time of a bare server.
 */
await build({
  entryPoints: ['lib/index.ts', 'gracehttp/index.ts', 'starter/index.ts', 'starter/main.ts'],
  outdir: 'dist',
  outbase: '.',
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  sourcemap: true,
  sourcesContent: false,
  logLevel: 'warning',
});
