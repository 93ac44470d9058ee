import { installOnce } from '../../../bench/packages/install-once.js';
import { shortDigest } from '../../../bench/packages/short-digest.js';

/**
 * Packages from npm that only slow tests need.
 *
 * @param packages - names and versions: `undici@7.16.0`.
 * @returns a folder with `node_modules`; undefined if they cannot be installed here.
 */
export function packagesFolder(packages: readonly string[]): string | undefined {
  return installOnce({ name: shortDigest(packages.join(' ')), npm: ['install', ...packages] });
}
