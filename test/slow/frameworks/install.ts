import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from '../../support/sources.js';

const FILES = ['package.json', 'package-lock.json'];

/**
 * The frameworks, installed as the lock file next to this test has them, once into a
 * cache folder outside of the repository; and this package, as it is built now.
 *
 * @returns the folder with `node_modules`; undefined if they cannot be installed here.
 */
export function installFrameworks(): string | undefined {
  const sources = FILES.map((file) => join(ROOT, 'test/slow/frameworks', file));
  const digest = createHash('sha256').update(readFileSync(sources[1]!)).digest('hex').slice(0, 16);
  const folder = join(homedir(), '.cache', 'ts-grace-tests', `frameworks-${digest}`);
  if (!existsSync(folder)) {
    const draft = `${folder}.${process.pid}`;
    mkdirSync(draft, { recursive: true });
    FILES.forEach((file, index) => copyFileSync(sources[index]!, join(draft, file)));
    const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--silent'], { cwd: draft, stdio: 'ignore' });
    if (status === 0) renameSync(draft, folder);
    else rmSync(draft, { recursive: true, force: true });
  }
  if (!existsSync(folder)) return undefined;
  const link = join(folder, 'node_modules/ts-grace');
  rmSync(link, { force: true });
  symlinkSync(ROOT, link);
  return folder;
}
