import { createHash } from 'node:crypto';
import { installOnce } from '../../../bench/packages/install-once.js';

/**
 * Packages from npm that only slow tests need.
 *
 * @param packages - names and versions: `undici@7.16.0`.
 * @returns a folder with `node_modules`; undefined if they cannot be installed here.
 */
export function packagesFolder(packages: readonly string[]): string | undefined {
  const name = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 16);
  return installOnce({ name, npm: ['install', ...packages] });
}
