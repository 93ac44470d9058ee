import { join } from 'node:path';
import t from 'tap';
import { skipUnless } from '../../support/skip.js';
import { builtSurvives } from '../frameworks/built.js';
import { type Build, installPackages } from '../frameworks/install.js';
import { type Snippet, isBuilt, isChosen, readPage } from '../frameworks/page.js';
import { RESTARTS } from '../frameworks/survives.js';

t.setTimeout(600_000);

const [NITRO, VITE] = ['../node_modules/nitro/dist/cli/index.mjs', '../node_modules/vite/bin/vite.js'];
/** Built once, and run by each version of Node.js. */
const BUILDS: readonly Build[] = [
  { folder: 'nitro', command: ['node', NITRO, 'build'] },
  { folder: 'nitro-middleware', command: ['node', NITRO, 'build'] },
  { folder: 'svelte', command: ['node', VITE, 'build'] },
];

/** The program that a snippet runs. */
function programOf({ title, way }: Snippet): string {
  if (title.startsWith('SvelteKit')) return 'svelte';
  return way === 'by auto' ? 'nitro' : 'nitro-middleware';
}

const folder = installPackages('sites', BUILDS);
const skip = skipUnless(() => folder !== undefined, 'Nitro and SvelteKit cannot be installed and built here');
const snippets = readPage().snippets.filter((snippet) => isBuilt(snippet) && !snippet.title.startsWith('Next.js'));

for (const snippet of snippets.filter(isChosen)) {
  t.test(`${snippet.title} ${snippet.way}: ${RESTARTS} restarts and a stop lose nothing`, { skip }, (t) =>
    builtSurvives(t, join(folder!, programOf(snippet)), snippet),
  );
}
