import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readFileSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { ROOT } from '../../support/sources.js';

/** Not `npm ci`: it refuses a lock file without the optional packages of other platforms, which not every registry has. */
const INSTALL = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--silent'];
/** Written last. */
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
  const folder = join(homedir(), '.cache', 'ts-grace-tests', `${name}-${digestOf(source, builds)}`);
  if (!existsSync(join(folder, COMPLETE)) && !install(source, folder, builds)) return undefined;
  const link = join(folder, 'node_modules/ts-grace');
  rmSync(link, { force: true });
  symlinkSync(ROOT, link);
  return folder;
}

/** Programs are built at their final path, because some frameworks write it into their output. */
function install(source: string, folder: string, builds: readonly Build[]): boolean {
  const draft = `${folder}.${process.pid}`;
  const isOurs = (path: string): boolean => !/\.ts$/.test(basename(path));
  cpSync(source, draft, { recursive: true, filter: isOurs });
  const installed = runs(['npm', ...INSTALL], draft);
  rmSync(folder, { recursive: true, force: true });
  if (installed) renameSync(draft, folder);
  else rmSync(draft, { recursive: true, force: true });
  const works = installed && builds.every(({ folder: inner = '.', command, env }) => runs(command, join(folder, inner), env));
  if (works) writeFileSync(join(folder, COMPLETE), '');
  return works;
}

function runs([command, ...args]: readonly [string, ...string[]], cwd: string, env: Readonly<Record<string, string>> = {}): boolean {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, env: { ...process.env, ...env }, encoding: 'utf8' });
  if (status !== 0) process.stderr.write(`${command} ${args.join(' ')}\n${stdout}${stderr}\n`);
  return status === 0;
}

function digestOf(source: string, builds: readonly Build[]): string {
  const hash = createHash('sha256').update(JSON.stringify(builds));
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && !entry.name.endsWith('.ts')) hash.update(readFileSync(join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex').slice(0, 16);
}
