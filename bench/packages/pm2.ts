import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installOnce } from './install-once.js';

/** All tests and benchmarks use one version. */
const LOCK = fileURLToPath(new URL('../../../bench/peers/package-lock.json', import.meta.url));

/** The command of PM2, to be run by Node.js; undefined if npm cannot install it. */
export function pm2Command(): string | undefined {
  const version = lockedVersion('pm2');
  const folder = installOnce({ name: `pm2-${version}`, npm: ['install', `pm2@${version}`] });
  return folder && join(folder, 'node_modules/pm2/bin/pm2');
}

function lockedVersion(name: string): string {
  const { packages } = JSON.parse(readFileSync(LOCK, 'utf8')) as {
    readonly packages: Readonly<Record<string, { readonly version: string }>>;
  };
  return packages[`node_modules/${name}`]!.version;
}
