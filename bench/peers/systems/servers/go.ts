import { existsSync } from 'node:fs';
import { goProgram } from '../../run/go-program.js';
import { type System } from '../system.js';
import { bySignal, printedVersion } from '../ways.js';

/** The version of Debian's package with a Go library. */
function libraryVersion(library: string, debianPackage: string): string {
  if (!existsSync(`/usr/share/gocode/src/github.com/${library}`)) throw new Error(`${debianPackage} is not installed`);
  const go = printedVersion('go', ['version'], /go(\d\S*)/);
  return `${printedVersion('dpkg-query', ['-W', '-f', '${Version}', debianPackage], /^(\S+)$/)}, Go ${go}`;
}

/** Documentation of the package: `Upgrade()` on SIGHUP, `Ready()`, and `http.Server.Shutdown()` after `Exit()`. */
export const tableflip: System = {
  name: 'tableflip',
  title: 'cloudflare/tableflip (Go)',
  group: 'others',
  restarts: 'SIGHUP',
  version: () => libraryVersion('cloudflare/tableflip', 'golang-github-cloudflare-tableflip-dev'),
  start: (place) => bySignal(place.spawn(goProgram('tableflip'), []), 'SIGHUP'),
};

/** Readme of the package: `gracehttp.Serve(servers...)`; SIGUSR2 restarts. */
export const facebookGrace: System = {
  name: 'facebookgo-grace',
  title: 'facebookgo/grace (Go)',
  group: 'others',
  restarts: 'SIGUSR2',
  version: () => libraryVersion('facebookgo/grace', 'golang-github-facebookgo-grace-dev'),
  start: (place) => bySignal(place.spawn(goProgram('grace'), []), 'SIGUSR2'),
};
