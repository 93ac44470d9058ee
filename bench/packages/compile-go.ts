import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './install-once.js';
import { shortDigest } from './short-digest.js';

/**
 * Compiles a Go program once into a cache folder: without Go's own cache that takes a minute, as Go compiles its library too.
 *
 * @param name - of the program; a changed source is compiled again.
 * @param env - what Go needs beside the environment of this process.
 * @returns the path of the program. Throws if it cannot be compiled.
 */
export function compileGo(name: string, source: string, env: NodeJS.ProcessEnv = {}): string {
  const program = join(cacheFolder('go'), `${name}-${shortDigest(readFileSync(source))}`);
  if (existsSync(program)) return program;
  const options = { env: { ...process.env, ...env }, encoding: 'utf8' } as const;
  const { status, stderr, error } = spawnSync('go', ['build', '-o', program, source], options);
  if (error !== undefined) throw new Error('go is not installed');
  if (status !== 0) throw new Error(`go build: ${stderr.trim().split('\n').at(-1)}`);
  return program;
}
