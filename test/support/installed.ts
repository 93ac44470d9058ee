import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './sources.js';

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** The package as a user gets it: packed, and installed into a folder that has nothing else. */
export interface Installed {
  readonly manifest: Manifest;
  readonly tarball: string;
  /** The user's project. */
  readonly folder: string;
}

/** Packs the package and its dependencies, and installs them from the tarballs: no registry is asked. */
export function installPackage(scratch: string): Installed {
  const [tarballs, folder] = [join(scratch, 'tarballs'), join(scratch, 'user')];
  for (const path of [tarballs, folder]) mkdirSync(path);
  const manifest = readManifest(ROOT);
  for (const path of [ROOT, ...dependenciesOf(manifest)]) {
    npm(scratch, 'pack', '--ignore-scripts', '--pack-destination', tarballs, path);
  }
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true }');
  const files = readdirSync(tarballs).map((file) => join(tarballs, file));
  npm(folder, 'install', '--offline', '--no-audit', '--no-fund', ...files);
  return { manifest, tarball: join(tarballs, `${manifest.name}-${manifest.version}.tgz`), folder };
}

/** Runs a command; fails with what it wrote. */
export function run(cwd: string, command: string, ...args: readonly string[]): string {
  try {
    return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    const { message, stdout } = error as Error & { readonly stdout: string | null };
    throw new Error(`${message}\n${stdout ?? ''}`, { cause: error });
  }
}

/** npm with a cache of its own, so that nothing comes from an earlier download. */
function npm(cwd: string, ...args: readonly string[]): void {
  run(cwd, 'npm', ...args, '--silent', '--cache', join(cwd, '.npm-cache'));
}

/** The installed folders of all run-time dependencies, those of dependencies too. */
function dependenciesOf(manifest: Manifest): string[] {
  const found = new Set<string>();
  const add = ({ dependencies = {} }: Manifest): void => {
    for (const name of Object.keys(dependencies)) {
      const path = join(ROOT, 'node_modules', name);
      if (found.has(path)) continue;
      found.add(path);
      add(readManifest(path));
    }
  };
  add(manifest);
  return [...found];
}

function readManifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}
