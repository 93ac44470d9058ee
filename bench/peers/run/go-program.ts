import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { sourceFile } from './node-packages.js';

/** Debian's packages of Go libraries: golang-github-…-dev. */
const GOPATH = '/usr/share/gocode';

/** Compiles a program with the libraries of Debian, without the network, once. Throws if that cannot be done. */
export function goProgram(name: string): string {
  const source = sourceFile(`programs/go/${name}/main.go`);
  const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 16);
  const program = join(homedir(), '.cache', 'ts-grace-bench', `${name}-${digest}`);
  if (existsSync(program)) return program;
  const env = { ...process.env, GOPATH, GO111MODULE: 'off', GOFLAGS: '', GOPROXY: 'off' };
  const { status, stderr, error } = spawnSync('go', ['build', '-o', program, source], { env, encoding: 'utf8' });
  if (error !== undefined) throw new Error('go is not installed');
  if (status !== 0) throw new Error(`go build: ${stderr.trim().split('\n').at(-1)}`);
  return program;
}
