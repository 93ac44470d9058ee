import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Test } from 'tap';
import { compileGo } from '../../../bench/packages/compile-go.js';
import { ROOT } from '../../support/sources.js';
import { skipUnless, skipUnlessFound } from '../../support/skip.js';
import { CURL_PARALLEL, curl, h2load, wrk } from './client-commands.js';
import { type Clients, startClients } from './client-programs.js';
import { packagesFolder } from './packages.js';

const PACKAGES = ['undici@7.16.0', 'axios@1.12.2', 'got@14.5.0'];
/** Debian's, as the one in the PATH may have none of its packages. */
const PYTHON = '/usr/bin/python3';
const SOURCES = join(ROOT, 'test', 'slow', 'clients', 'fixtures');

/** For a test's `skip`. */
export function skipWithoutClients(...programs: readonly string[]): string | false {
  const modules = 'import requests, aiohttp, httpx, h2';
  return (
    skipUnlessFound('curl', 'go', 'chromium', ...programs) ||
    skipUnless(() => spawnSync(PYTHON, ['-c', modules]).status === 0, `not installed: Python's ${modules}`) ||
    skipUnless(() => packagesFolder(PACKAGES) !== undefined, 'npm cannot install the clients')
  );
}

/** Installs and compiles what the clients need, so that no test has to wait for it. */
export function prepareClients(): void {
  packagesFolder(PACKAGES);
  goProgram();
}

type Start = (t: Test, url: string) => Promise<Clients[]>;

/** Every client of HTTP/1.1, in groups that share the processors. */
export const HTTP1_CLIENTS: Readonly<Record<string, Start>> = {
  'Node.js, Python, Go': (t, url) =>
    Promise.all([
      nodeClients(t, url, [
        'http.Agent',
        'http.Agent, POST',
        'fetch',
        'undici, pipelining 1',
        'undici, pipelining 10',
        'axios',
        'got',
        'ws',
        'EventSource',
      ]),
      startClients(t, [PYTHON, join(SOURCES, 'clients.py'), url, 'requests', 'aiohttp', 'httpx']),
      startClients(t, [goProgram(), url, 'http1']),
    ]),
  'curl, wrk': async (t, url) => [
    curl(t, 'curl --http1.1', url, '--http1.1'),
    curl(t, 'curl --http1.1 -Z', url, '--http1.1', ...CURL_PARALLEL),
    wrk(t, url),
  ],
  Chromium: async (t, url) => [await chromium(t, url, 'http/1.1')],
};

/** Clients of HTTP/2, by TLS, in groups that share the processors. */
export const HTTP2_CLIENTS: Readonly<Record<string, Start>> = {
  h2load: async (t, url) => [h2load(t, url)],
  curl: async (t, url) => [curl(t, 'curl --http2', url, '--http2'), curl(t, 'curl --http2 -Z', url, '--http2', ...CURL_PARALLEL)],
  'got, Go, httpx': (t, url) =>
    Promise.all([
      nodeClients(t, url, ['got, HTTP/2']),
      startClients(t, [goProgram(), url, 'http2']),
      startClients(t, [PYTHON, join(SOURCES, 'clients.py'), url, 'httpx, HTTP/2']),
    ]),
  Chromium: async (t, url) => [await chromium(t, url, 'h2')],
};

function nodeClients(t: Test, url: string, kinds: readonly string[]): Promise<Clients> {
  const argument = JSON.stringify({ url, kinds, packages: packagesFolder(PACKAGES) });
  const command = [process.execPath, '--no-warnings', '--experimental-eventsource', compiled('node-clients'), argument];
  return startClients(t, command, { NODE_TLS_REJECT_UNAUTHORIZED: '0' });
}

function chromium(t: Test, url: string, protocol: string): Promise<Clients> {
  return startClients(t, [process.execPath, compiled('chromium'), JSON.stringify({ url, protocol })]);
}

function goProgram(): string {
  return compileGo('clients', join(SOURCES, 'clients.go'));
}

function compiled(name: string): string {
  return fileURLToPath(new URL(`../clients/fixtures/${name}.js`, import.meta.url));
}
