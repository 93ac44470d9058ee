import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * A package that is too large to be installed with the others, installed once
 * into a cache folder outside of the repository.
 *
 * @returns the folder with its commands; undefined if it cannot be installed here.
 */
export function downloaded(name: string, version: string): string | undefined {
  const folder = join(homedir(), '.cache', 'ts-grace-tests', `${name}-${version}`);
  const bin = join(folder, 'node_modules', '.bin');
  if (existsSync(bin)) return bin;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  const install = ['install', '--prefix', draft, '--no-audit', '--no-fund', '--ignore-scripts', '--silent', `${name}@${version}`];
  const { status } = spawnSync('npm', install, { stdio: 'ignore' });
  try {
    if (status === 0) renameSync(draft, folder);
  } catch {
    // Another test was faster.
  }
  rmSync(draft, { recursive: true, force: true });
  return existsSync(bin) ? bin : undefined;
}
