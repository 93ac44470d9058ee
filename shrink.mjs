import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { decode, encode } from '@jridgewell/sourcemap-codec';

const LIBRARY = ['dist/lib', 'dist/gracehttp', 'dist/starter'];

/** Files below a folder whose names end so. */
function find(folder, end) {
  return readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith(end))
    .map((path) => join(folder, path));
}

/**
 * Leaves one place for each line in the source maps. They tell which line of which
 * source a line of a stack trace is, in a fifth of the size.
 */
export function shrinkMaps() {
  for (const path of find('dist', '.js.map')) {
    const { names: _, ...map } = JSON.parse(readFileSync(path, 'utf8'));
    const mappings = decode(map.mappings).map((segments) => segments.slice(0, 1).map((segment) => segment.slice(0, 4)));
    writeFileSync(path, JSON.stringify({ ...map, names: [], mappings: encode(mappings) }));
  }
}

/** Removes declarations that no entry leads to, as they are for nobody. */
export function removeInnerDeclarations() {
  const reached = new Set();
  const reach = (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g)) {
      reach(join(dirname(path), target).replace(/\.js$/, '.d.ts'));
    }
  };
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  for (const { types } of Object.values(exports)) if (types !== undefined) reach(join(types));
  for (const path of LIBRARY.flatMap((folder) => find(folder, '.d.ts'))) if (!reached.has(path)) rmSync(path);
}
