import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder, installOnce } from '../../packages/install-once.js';
import { shortDigest } from '../../packages/short-digest.js';

export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const SOURCES = join(ROOT, 'bench/peers');
const LOCK = 'package-lock.json';

const NAME = `peers-${shortDigest(readFileSync(join(SOURCES, LOCK)))}`;
const folder = cacheFolder(NAME);

/**
 * Installs the packages of the peers, as the lock file has them, so that `npm ci` of the project stays small; and this package, as
 * it is built now, beside them. The programs are copied there, where they find the packages.
 */
export function installNodePackages(): void {
  const prepare = (draft: string): void => {
    for (const file of ['package.json', LOCK]) copyFileSync(join(SOURCES, file), join(draft, file));
  };
  installOnce({ name: NAME, npm: ['ci'], prepare });
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  rmSync(join(folder, 'node_modules/ts-grace'), { force: true });
  symlinkSync(ROOT, join(folder, 'node_modules/ts-grace'));
  cpSync(join(SOURCES, 'programs/node'), join(folder, 'programs'), { recursive: true });
}

/** The path of a program, beside the packages. */
export function nodeProgram(name: string): string {
  return join(folder, 'programs', name);
}

/** Throws if the package is not installed. */
export function packageVersion(name: string): string {
  const file = join(folder, 'node_modules', name, 'package.json');
  if (!existsSync(file)) throw new Error(`${name} could not be installed by npm`);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

/** A command of an installed package. */
export function packageCommand(name: string): string {
  return join(folder, 'node_modules/.bin', name);
}

/** A file of an installed package. */
export function packageFile(name: string, file: string): string {
  return join(folder, 'node_modules', name, file);
}

/** A file of the benchmark's sources that is not TypeScript. */
export function sourceFile(path: string): string {
  return join(SOURCES, path);
}
