import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { installOnce } from '../../../bench/packages/install-once.js';
import { shortDigest } from '../../../bench/packages/short-digest.js';
import { ROOT } from '../../support/sources.js';

/** Written when all is built. */
const COMPLETE = '.complete';

/** A command that is run in a folder of the packages. */
export interface Build {
  readonly folder?: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Copies a folder of test/slow, installs its packages as its lock file has them, and builds its
 * programs: once, into a cache folder outside of the repository. This package is the one that is built now.
 *
 * @returns the folder with `node_modules`; undefined if that does not work here.
 */
export function installPackages(name: string, builds: readonly Build[] = []): string | undefined {
  const source = join(ROOT, 'test/slow', name);
  const folder = installOnce({
    name: `${name}-${digestOf(source, builds)}`,
    // Not `npm ci`: it refuses a lock file without the optional packages of other platforms, which not every registry has.
    npm: ['install'],
    prepare: (draft) => cpSync(source, draft, { recursive: true, filter: (path) => !path.endsWith('.ts') }),
  });
  if (folder === undefined || !isBuilt(folder, builds)) return undefined;
  const link = join(folder, 'node_modules/ts-grace');
  rmSync(link, { force: true });
  symlinkSync(ROOT, link);
  return folder;
}

/** Programs are built at their final path, because some frameworks write it into their output. */
function isBuilt(folder: string, builds: readonly Build[]): boolean {
  if (existsSync(join(folder, COMPLETE))) return true;
  const works = builds.every(({ folder: inner = '.', command, env }) => runs(command, join(folder, inner), env));
  if (works) writeFileSync(join(folder, COMPLETE), '');
  return works;
}

function runs([command, ...args]: readonly [string, ...string[]], cwd: string, env: Readonly<Record<string, string>> = {}): boolean {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8' });
  if (status !== 0) process.stderr.write(`${command} ${args.join(' ')}\n${stdout}${stderr}\n`);
  return status === 0;
}

function digestOf(source: string, builds: readonly Build[]): string {
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.ts'))
    .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  return shortDigest(JSON.stringify(builds), ...files);
}
