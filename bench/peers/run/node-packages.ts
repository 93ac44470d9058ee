import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../../..', import.meta.url));
const SOURCES = join(ROOT, 'bench/peers');
const LOCK = 'package-lock.json';

const lock = readFileSync(join(SOURCES, LOCK));
const cache = join(homedir(), '.cache', 'ts-grace-bench');
const folder = join(cache, `peers-${createHash('sha256').update(lock).digest('hex').slice(0, 16)}`);

/**
 * Installs the packages of the peers, as the lock file has them, once into a cache folder outside of the repository, so that
 * `npm ci` of the project stays small; and this package, as it is built now, beside them. The programs are copied there, where
 * they find the packages.
 */
export function installNodePackages(): void {
  // npm writes this file last.
  if (!existsSync(join(folder, 'node_modules/.package-lock.json'))) {
    rmSync(folder, { recursive: true, force: true });
    const draft = `${folder}.${process.pid}`;
    mkdirSync(draft, { recursive: true });
    for (const file of ['package.json', LOCK]) copyFileSync(join(SOURCES, file), join(draft, file));
    const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--silent'], { cwd: draft, stdio: 'ignore' });
    if (status === 0) renameSync(draft, folder);
    else rmSync(draft, { recursive: true, force: true });
  }
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
