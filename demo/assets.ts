import { readFileSync, readdirSync } from 'node:fs';
import { extname } from 'node:path';

export interface Asset {
  readonly type: string;
  readonly text: string;
}

const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript' };
/** Compiled, this file is dist/demo/assets.js. The scripts are compiled too, the rest is not. */
const FOLDERS = [new URL('./page/', import.meta.url), new URL('../../demo/page/', import.meta.url)];

/** The files of the page by their path, all read at the start: the files of a release may be replaced while it serves. */
export function readAssets(): ReadonlyMap<string, Asset> {
  const assets = new Map<string, Asset>();
  for (const folder of FOLDERS) {
    for (const name of readdirSync(folder)) {
      const type = TYPES[extname(name)];
      if (type !== undefined) assets.set(`/page/${name}`, { type, text: readFileSync(new URL(name, folder), 'utf8') });
    }
  }
  return assets;
}
