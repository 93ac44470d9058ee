import t from 'tap';
import { skipUnless } from '../../support/skip.js';
import { builtSurvives } from '../frameworks/built.js';
import { type Build, installPackages } from '../frameworks/install.js';
import { isBuilt, isChosen, readPage } from '../frameworks/page.js';
import { RESTARTS } from '../frameworks/survives.js';

t.setTimeout(600_000);

const NEXT = 'node_modules/next/dist/bin/next';
/** Built once, and run by each version of Node.js. */
const BUILDS: readonly Build[] = [{ command: ['node', NEXT, 'build'], env: { NEXT_OUTPUT: 'standalone', NEXT_TELEMETRY_DISABLED: '1' } }];

const folder = installPackages('next', BUILDS);
const skip = skipUnless(() => folder !== undefined, 'Next.js cannot be installed and built here');
const snippets = readPage().snippets.filter((snippet) => isBuilt(snippet) && snippet.title.startsWith('Next.js'));

for (const snippet of snippets.filter(isChosen)) {
  t.test(`${snippet.title} ${snippet.way}: ${RESTARTS} restarts and a stop lose nothing`, { skip }, (t) =>
    builtSurvives(t, folder!, snippet),
  );
}
