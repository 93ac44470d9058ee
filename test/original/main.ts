import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MAIN, PERL_MAIN } from '../support/starter.js';

/**
 * Runs the tests of Server::Starter, from a folder with its source, against this
 * start_server. 00, 08 and 09 are left out: they test the Perl module itself.
 */
const OF_THE_MODULE = /^(00-base|08-wait3|09-guard)\.t$/;

const [source = '.', ...only] = process.argv.slice(2);
const folder = resolve(source);
if (!existsSync(join(folder, 't', '01-starter.t')))
  throw new Error(`${folder} is not the source of Server::Starter, for example Server-Starter-0.35`);
if (!existsSync(PERL_MAIN)) throw new Error('the Debian package libserver-starter-perl is not installed');
const tests = readdirSync(join(folder, 't'))
  .filter((name) => name.endsWith('.t') && !OF_THE_MODULE.test(name))
  .filter((name) => only.length === 0 || only.some((start) => name.startsWith(start)))
  .sort();
const shim = fileURLToPath(new URL('../../../test/original', import.meta.url));
const { status } = spawnSync('prove', ['-I', shim, ...tests.map((name) => join('t', name))], {
  cwd: folder,
  stdio: 'inherit',
  env: { ...process.env, START_SERVER: `${process.execPath} ${MAIN}` },
});
process.exitCode = status ?? 1;
