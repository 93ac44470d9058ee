import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { getBody } from '../support/http/client.js';
import { start } from '../support/program.js';
import { scratch } from '../support/scratch.js';

const root = dirname(createRequire(import.meta.url).resolve('../../../package.json'));

function run(cwd: string, command: string, ...args: string[]): string {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

t.test('the package works where it is installed', async (t) => {
  t.ok(existsSync(join(root, 'dist/chunks')), 'the bundle is built (npm run build)');
  const folder = scratch(t);
  run(root, 'npm', 'pack', '--silent', '--ignore-scripts', '--pack-destination', folder);
  const [tarball = ''] = readdirSync(folder);
  writeFileSync(join(folder, 'package.json'), '{ "name": "user", "private": true }');
  run(folder, 'npm', 'install', '--silent', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball));
  const installed = join(folder, 'node_modules/ts-grace');
  t.same(readdirSync(join(installed, 'dist')).sort(), ['chunks', 'gracehttp', 'lib', 'starter'], 'no tests, demo or benchmarks');
  for (const file of ['license', 'readme.md', 'changelog.md']) t.ok(existsSync(join(installed, file)), file);

  const program = `
    const server = http.createServer((request, response) => response.end('installed'));
    serve({ server, listen: '127.0.0.1:0' }).then((app) => {
      app.on('restart-failed', ({ message }) => console.error(message));
      console.log(JSON.stringify({ event: 'ready', pid: process.pid, addresses: app.addresses }));
    });
  `;
  writeFileSync(join(folder, 'import.mjs'), `import http from 'node:http'; import { serve } from 'ts-grace/gracehttp';${program}`);
  writeFileSync(
    join(folder, 'require.cjs'),
    `const http = require('node:http'); const { serve } = require('ts-grace/gracehttp');
     require('ts-grace/package.json'); require('ts-grace').parseAddress(':80');${program}`,
  );
  for (const file of ['import.mjs', 'require.cjs']) {
    const started = start(t, join(folder, file));
    await started.announced('ready');
    process.kill(started.pid, 'SIGUSR2');
    const [address] = (await started.announced('ready', 2)).addresses as string[];
    await started.exited;
    t.equal(await getBody(address!), 'installed', `${file}, restarted`);
  }

  writeFileSync(
    join(folder, 'user.ts'),
    `import { GraceError, Grace } from 'ts-grace'; import { App, serve } from 'ts-grace/gracehttp';
     export const app: App = new App({ drainTimeout: 1 }); export const error: GraceError | undefined = undefined;
     app.on('restart-failed', ({ exitCode }) => console.log(exitCode)); export type G = Grace; void serve;`,
  );
  const types = fileURLToPath(new URL('../../../node_modules/@types', import.meta.url));
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', '--typeRoots', types];
  t.equal(run(folder, process.execPath, join(root, 'node_modules/typescript/bin/tsc'), ...flags, 'user.ts'), '', 'types');
});
