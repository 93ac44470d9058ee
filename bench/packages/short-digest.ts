import { createHash } from 'node:crypto';

const DIGITS = 16;

/** Names a cache folder after its content, so that a changed content has a folder of its own. */
export function shortDigest(...content: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of content) hash.update(part);
  return hash.digest('hex').slice(0, DIGITS);
}
