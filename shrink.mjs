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
 * Leaves in the source maps the places at which a new line of a source begins. They
 * tell which line of which source a place in a stack trace is.
 */
export function shrinkMaps() {
  for (const path of find('dist', 's.map')) {
    const { names: _, ...map } = JSON.parse(readFileSync(path, 'utf8'));
    const mappings = decode(map.mappings).map((segments) => segments.filter(beginsLine).map(withoutColumn));
    writeFileSync(path, JSON.stringify({ ...map, names: [], mappings: encode(mappings) }));
  }
}

/** Whether a place of the code comes from another line, or another source, than the place before it in the same line of code. */
function beginsLine([, source, line], index, segments) {
  const before = segments[index - 1];
  return before === undefined || before[1] !== source || before[2] !== line;
}

function withoutColumn([column, source, line]) {
  return [column, source, line, 0];
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
