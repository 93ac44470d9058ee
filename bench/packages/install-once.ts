import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const CACHE = join(homedir(), '.cache', 'ts-grace-tests');
const OPTIONS = ['--no-audit', '--no-fund', '--ignore-scripts', '--silent'];
/** npm writes this file last. */
const COMPLETE = 'node_modules/.package-lock.json';

/** What npm does in the new folder. */
export interface Installation {
  /** The name of the folder; has to change when its content changes. */
  readonly name: string;
  /** `install` with the names and versions of packages, or `ci`. */
  readonly npm: readonly [string, ...string[]];
  /** Writes what npm needs into the empty folder. Default: a package.json without packages. */
  readonly prepare?: (folder: string) => void;
}

/**
 * Installs packages from npm once into a cache folder outside of the repository: they are too large to be dependencies.
 *
 * @returns the folder with `node_modules`; undefined if they cannot be installed here, after npm's message.
 */
export function installOnce({ name, npm, prepare = writeManifest }: Installation): string | undefined {
  const folder = cacheFolder(name);
  if (existsSync(join(folder, COMPLETE))) return folder;
  // Two programs may install at the same time, so each has a folder of its own until it is complete.
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  prepare(draft);
  const { status, stderr } = spawnSync('npm', [...npm, ...OPTIONS], { cwd: draft, encoding: 'utf8' });
  if (status === 0) moveUnlessThere(draft, folder);
  else process.stderr.write(`npm ${npm.join(' ')}\n${stderr ?? ''}\n`);
  rmSync(draft, { recursive: true, force: true });
  return existsSync(join(folder, COMPLETE)) ? folder : undefined;
}

/** Where packages are or will be. */
export function cacheFolder(name: string): string {
  return join(CACHE, name);
}

function moveUnlessThere(draft: string, folder: string): void {
  if (existsSync(join(folder, COMPLETE))) return;
  rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(draft, folder);
  } catch {
    // Another program was faster.
  }
}

function writeManifest(folder: string): void {
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
}
