import { build } from 'esbuild';
import { writeFileSync } from 'node:fs';

/**
 * Makes lib/launch/preload-text.ts: the program that runs in a successor before
 * its own, as a string. It has to be done before anything is compiled.
 */
const { outputFiles } = await build({
  entryPoints: ['lib/launch/preload-program.ts'],
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  logLevel: 'warning',
  write: false,
});
const text = outputFiles[0].text.trim();
writeFileSync(
  'lib/launch/preload-text.ts',
  `/** Made from preload-program.ts by \`npm run build\`. */\nexport const PRELOAD = ${JSON.stringify(text)};\n`,
);
