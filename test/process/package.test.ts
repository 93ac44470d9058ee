import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { getBody } from '../support/http/client.js';
import { installPackage, run } from '../support/installed.js';
import { linksOf } from '../support/pages/links.js';
import { start } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { ROOT, parseSource } from '../support/sources.js';

t.setTimeout(110_000);

/** A library that is part of every restart has to be quick to install and to load. */
const LARGEST_TARBALL_BYTES = 335_000;
/** Two lines that only import another file. */
const WITHOUT_MAP = 'gracehttp/auto/index.js';
/** Images of the readme are only in the repository; they have a text. */
const IMAGE = /\.(webp|svg)$/;
/** A page with links to what is only in the repository has to say so. */
const ONLY_IN_REPOSITORY = /in\s+the\s+repository(,|\s+and)\s+not\s+in\s+the\s+npm\s+package/;

/** The entry points, and the source of each. */
const ENTRIES = {
  'ts-grace': 'lib/index.ts',
  'ts-grace/gracehttp': 'gracehttp/index.ts',
  'ts-grace/starter': 'starter/index.ts',
  'ts-grace/ws': 'gracehttp/websocket/index.ts',
  'ts-grace/auto': 'gracehttp/auto/index.ts',
};
const TOOLS = join(ROOT, 'node_modules/.bin');
const TYPES = join(ROOT, 'node_modules/@types');

interface Names {
  readonly types: readonly string[];
  readonly values: readonly string[];
}

/** The names that an index.ts exports. */
function exportsOf(file: string): Names {
  const names = parseSource(file)
    .statements.filter(ts.isExportDeclaration)
    .flatMap(({ isTypeOnly, exportClause }) => {
      if (exportClause === undefined || !ts.isNamedExports(exportClause)) throw new Error(`${file}: exports without names`);
      return exportClause.elements.map((element) => ({ name: element.name.text, type: isTypeOnly || element.isTypeOnly }));
    });
  return {
    types: names
      .filter(({ type }) => type)
      .map(({ name }) => name)
      .sort(),
    values: names
      .filter(({ type }) => !type)
      .map(({ name }) => name)
      .sort(),
  };
}

const EXPORTS = Object.entries(ENTRIES).map(([entry, file]) => ({ entry, ...exportsOf(file) }));

/** A TypeScript program that imports every name of every entry point. */
const CONSUMER = EXPORTS.map(({ entry, types, values }, index) => {
  const typeNames = types.map((name) => `type ${name} as ${name}${index}`);
  const valueNames = values.map((name) => `${name} as ${name}${index}`);
  return `import { ${[...typeNames, ...valueNames].join(', ')} } from '${entry}';\n`;
}).join('');

/** A TypeScript program that uses what it imports. */
const USE = `
import { GraceError } from 'ts-grace';
import { App } from 'ts-grace/gracehttp';
import { serverPorts } from 'ts-grace/starter';
const app: App = new App({ drainTimeout: 1 });
app.on('restart-failed', ({ exitCode }) => { const code: number | null | undefined = exitCode; console.log(code); });
export const isOurs = (error: unknown): boolean => error instanceof GraceError && error.code === 'RESTART_FAILED';
export const ports = serverPorts;
`;

/** A server that restarts; \`serve\` and \`http\` are imported before it. */
const SERVER = `
const server = http.createServer((request, response) => response.end('installed'));
serve({ server, listen: '127.0.0.1:0' }).then((app) => {
  console.log(JSON.stringify({ event: 'ready', pid: process.pid, addresses: app.addresses }));
});
`;

t.test('the package works when it is packed and installed', async (t) => {
  t.ok(existsSync(join(ROOT, 'dist/chunks')), 'the bundles are built (npm run build)');
  const { manifest, tarball, folder } = installPackage(scratch(t));
  const installed = join(folder, 'node_modules/ts-grace');
  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  await t.test('it contains what it should', async (t) => {
    t.same(readdirSync(join(installed, 'dist')).sort(), ['chunks', 'gracehttp', 'lib', 'starter'], 'no tests, demo or benchmarks');
    for (const file of ['license', 'readme.md', 'changelog.md', 'contributing.md', 'docs', 'examples'])
      t.ok(existsSync(join(installed, file)), file);
    const entries = Object.keys(manifest.exports).map((path) => path.replace(/^\./, manifest.name));
    t.same(entries.sort(), [...Object.keys(ENTRIES), 'ts-grace/package.json'].sort(), 'every entry point is in this test');
    const { size } = statSync(tarball);
    t.ok(size < LARGEST_TARBALL_BYTES, `${size} bytes packed, less than ${LARGEST_TARBALL_BYTES}`);
    t.notOk('repository' in manifest, 'there is no repository to name yet');
  });

  await t.test('its documents lead to files that are in it, or say that these are only in the repository', async (t) => {
    const pages = readdirSync(installed, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.md'));
    t.ok(pages.length > 20, `${pages.length} pages`);
    for (const page of pages) {
      const text = readFileSync(join(installed, page), 'utf8');
      const missing = linksOf(text)
        .map(({ target }) => target.split('#')[0]!)
        .filter((target) => !/^\w+:/.test(target) && !IMAGE.test(target) && !existsSync(join(installed, dirname(page), target)));
      if (!ONLY_IN_REPOSITORY.test(text)) t.strictSame(missing, [], page);
      else for (const target of missing) t.match(target, /^(\.\.\/)?(bench|test)\//, page);
    }
  });

  await t.test('each file of code has a source map, which leads to the lines of its sources', async (t) => {
    const code = readdirSync(join(installed, 'dist'), { recursive: true, encoding: 'utf8' }).filter(
      (path) => /\.c?js$/.test(path) && path !== WITHOUT_MAP,
    );
    t.ok(code.length > 5);
    for (const path of code) t.ok(existsSync(join(installed, 'dist', `${path}.map`)), path);
    const failing = write('failing.mjs', "import { parseAddress } from 'ts-grace';\nparseAddress('nonsense:x');\n");
    const { stderr } = spawnSync(process.execPath, ['--enable-source-maps', failing], { encoding: 'utf8' });
    const [, line] = /lib\/address\/address\.ts:(\d+):/.exec(stderr) ?? [];
    const source = readFileSync(join(ROOT, 'lib/address/address.ts'), 'utf8').split('\n');
    t.match(source[Number(line) - 1], /GraceError\(|invalid\(|parseNumber\(|throw/, stderr);
  });

  for (const name of ['start_server', 'ts-grace']) {
    await t.test(`npm installs the command ${name}`, async (t) => {
      const command = join(folder, 'node_modules/.bin', name);
      t.equal(run(folder, command, '--version'), `${manifest.version}\n`);
      t.match(run(folder, command, '--help'), new RegExp(`^Usage: ${name}`));
    });
  }

  await t.test('ES modules and CommonJS get every export', async (t) => {
    const print = 'console.log(JSON.stringify(Object.keys(all).filter((name) => name !== "default" && name !== "__esModule").sort()));';
    for (const { entry, values } of EXPORTS) {
      t.ok(values.length > 0, `${entry} exports ${values.length} values`);
      const esm = write('names.mjs', `import * as all from '${entry}'; ${print}`);
      const commonJs = write('names.cjs', `const all = require('${entry}'); ${print}`);
      for (const file of [esm, commonJs]) t.same(JSON.parse(run(folder, process.execPath, '--no-warnings', file)), values, file);
    }
    const errors = write(
      'errors.mjs',
      `
      import { GraceError } from 'ts-grace';
      import { GraceError as FromStarter, startServer } from 'ts-grace/starter';
      const error = await startServer({}).catch((error) => error);
      console.log(error instanceof GraceError, error instanceof FromStarter, error.code, new FromStarter('OPTION_INVALID', 'x') instanceof GraceError);
    `,
    );
    t.equal(run(folder, process.execPath, errors), 'true true OPTION_INVALID true\n', 'an error is a GraceError in every bundle');
    const version = write('version.cjs', `console.log(require('ts-grace/package.json').version)`);
    t.equal(run(folder, process.execPath, version), `${manifest.version}\n`, 'package.json can be read');
  });

  await t.test('TypeScript gets every export with its type', async (t) => {
    for (const { entry, types } of EXPORTS) t.ok(types.length > 0, `${entry} exports ${types.length} types`);
    const files = [
      ['all.ts', CONSUMER],
      ['all.cts', CONSUMER],
      ['all.mts', CONSUMER],
      ['use.ts', USE],
      ['use.mts', USE],
    ] as const;
    const paths = files.map(([name, text]) => write(name, text));
    const modules = { nodenext: ['--module', 'nodenext'], bundler: ['--module', 'esnext', '--moduleResolution', 'bundler'] };
    const flags = ['--noEmit', '--strict', '--target', 'es2022', '--lib', 'es2023', '--types', 'node', '--typeRoots', TYPES];
    for (const [name, options] of Object.entries(modules)) {
      t.equal(run(folder, join(TOOLS, 'tsc'), ...flags, ...options, ...paths), '', name);
    }
    const wrong = write('wrong.mts', USE.replace('drainTimeout: 1', `drainTimeout: 'soon'`));
    t.throws(() => run(folder, join(TOOLS, 'tsc'), ...flags, ...modules.nodenext, wrong), /TS2322/, 'options of a wrong type are errors');
  });

  await t.test('publint and Are the Types Wrong find nothing', async (t) => {
    t.match(run(folder, join(TOOLS, 'publint'), 'run', tarball, '--strict'), /All good!/);
    // The package is ES modules only, and exports subpaths: require() loads ES modules, and node10 knows no subpaths.
    const options = ['--profile', 'node16', '--ignore-rules', 'cjs-resolves-to-esm', '--no-definitely-typed', '--no-emoji'];
    const report = run(folder, join(TOOLS, 'attw'), tarball, ...options);
    for (const entry of Object.keys(ENTRIES)) t.match(report, `"${entry}"`);
  });

  const programs = {
    'server.mjs': `import http from 'node:http'; import { serve } from 'ts-grace/gracehttp';${SERVER}`,
    'server.cjs': `const http = require('node:http'); const { serve } = require('ts-grace/gracehttp');${SERVER}`,
  };
  for (const [name, text] of Object.entries(programs)) {
    await t.test(`${name} serves and restarts`, async (t) => {
      const program = start(t, write(name, text));
      await program.announced('ready');
      process.kill(program.pid, 'SIGUSR2');
      const { addresses, pid } = await program.announced('ready', 2);
      t.equal(await getBody((addresses as string[])[0]!), 'installed');
      process.kill(pid, 'SIGTERM');
      t.match(await program.exited, { code: 0 });
    });
  }
});
