import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/**
 * Packages from npm that only slow tests need, installed once into a cache folder
 * outside of the repository.
 *
 * @param packages - names and versions: `undici@7.16.0`.
 * @returns a folder with `node_modules`; undefined if they cannot be installed here.
 */
export function packagesFolder(packages: readonly string[]): string | undefined {
  const hash = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 16);
  const folder = join(homedir(), '.cache', 'ts-grace-tests', hash);
  if (existsSync(folder)) return folder;
  const draft = `${folder}.${process.pid}`;
  mkdirSync(draft, { recursive: true });
  writeFileSync(join(draft, 'package.json'), '{ "private": true }');
  const install = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--silent', ...packages];
  const { status } = spawnSync('npm', install, { cwd: draft, stdio: 'ignore' });
  try {
    if (status === 0) renameSync(draft, folder);
  } catch {
    // Another test was faster.
  }
  rmSync(draft, { recursive: true, force: true });
  return existsSync(folder) ? folder : undefined;
}
