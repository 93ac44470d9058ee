import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseResults } from '../peers/results/results.js';
import { ROOT } from '../peers/run/node-packages.js';
import { pictures } from './pictures.js';
import { pages } from './pages.js';

/** Makes the pictures and the tables of the documents from `bench/results.json`. */
const results = parseResults(readFileSync(join(ROOT, 'bench/results.json'), 'utf8'));
mkdirSync(join(ROOT, 'bench/pictures'), { recursive: true });
for (const [name, svg] of pictures(results)) writeFileSync(join(ROOT, name), svg);
for (const { path, render } of pages) {
  const file = join(ROOT, path);
  writeFileSync(file, render(readFileSync(file, 'utf8'), results));
  console.log(path);
}
