import { compileGo } from '../../packages/compile-go.js';
import { sourceFile } from './node-packages.js';

/** Without the network, with the libraries of Debian: golang-github-…-dev. */
const DEBIAN = { GOPATH: '/usr/share/gocode', GO111MODULE: 'off', GOFLAGS: '', GOPROXY: 'off' };

/** Compiles a program, once. Throws if that cannot be done. */
export function goProgram(name: string): string {
  return compileGo(name, sourceFile(`programs/go/${name}/main.go`), DEBIAN);
}
