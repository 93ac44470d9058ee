import { readFileSync, readdirSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import ts from 'typescript';

/** Compiled, this file is dist/test/layering.test.js. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const { name: PACKAGE, dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const RUN_TIME = Object.keys(dependencies);
const DEVELOPMENT = Object.keys(devDependencies);

/** What the files of a folder may import: other folders, and packages. */
interface Layer {
  readonly folders: readonly string[];
  readonly packages: readonly string[];
}
const LAYERS: Readonly<Record<string, Layer>> = {
  lib: { folders: [], packages: RUN_TIME },
  gracehttp: { folders: ['lib'], packages: RUN_TIME },
  starter: { folders: ['lib'], packages: RUN_TIME },
  demo: { folders: ['gracehttp', 'starter', 'lib'], packages: [PACKAGE] },
  bench: { folders: ['gracehttp', 'starter', 'lib'], packages: [PACKAGE, ...RUN_TIME, ...DEVELOPMENT] },
};
const WITHOUT_CYCLES = ['lib', 'gracehttp', 'starter'];

/** The source files of a folder, as paths from the root; none where the folder is not there. */
function filesOf(folder: string): string[] {
  try {
    const entries = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
    return entries.filter((path) => path.endsWith('.ts')).map((path) => posix.join(folder, path));
  } catch {
    return [];
  }
}

/** What a source file imports or exports from, types included: paths from the root, or names of packages. */
function importsOf(file: string, text = readFileSync(join(ROOT, file), 'utf8')): string[] {
  const { importedFiles } = ts.preProcessFile(text, true, true);
  const required = [...text.matchAll(/\brequirePackage(?:<[^;]*?>)?\('([^']+)'\)/g)].map(([, name = '']) => name);
  const imported = importedFiles.map(({ fileName }) =>
    fileName.startsWith('.') ? posix.join(dirname(file), fileName).replace(/\.js$/, '.ts') : fileName,
  );
  return [...imported, ...required];
}

const isPath = (target: string): boolean => target.endsWith('.ts') || target.startsWith('..');
const packageOf = (target: string): string => target.split('/').slice(0, target.startsWith('@') ? 2 : 1).join('/');
const isBuiltin = (target: string): boolean => target.startsWith('node:') || builtinModules.includes(target);

/** Why a file may not import something; undefined where it may. */
function forbidden(file: string, target: string): string | undefined {
  const [folder = ''] = file.split('/');
  const layer = LAYERS[folder]!;
  if (isBuiltin(target)) return target.startsWith('node:') ? undefined : `write node:${target}`;
  if (!isPath(target)) return layer.packages.includes(packageOf(target)) ? undefined : `${folder} has no package ${target}`;
  const [other = ''] = target.split('/');
  if (other === folder) return target === `${folder}/index.ts` ? `index.ts is for those outside of ${folder}` : undefined;
  return layer.folders.includes(other) ? undefined : `${folder} may not know of ${other}`;
}

/** A cycle in a graph, as a path from a node back to itself; undefined where there is none. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const path: string[] = [];
  const visit = (node: string): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    path.push(node);
    for (const next of graph.get(node) ?? []) {
      const cycle = visit(next);
      if (cycle !== undefined) return cycle;
    }
    path.pop();
    done.add(node);
    return undefined;
  };
  for (const node of graph.keys()) {
    const cycle = visit(node);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

for (const folder of Object.keys(LAYERS)) {
  const files = filesOf(folder);
  t.test(`imports of ${folder}`, { skip: files.length > 0 ? false : `there is no ${folder}` }, async (t) => {
    for (const file of files) {
      const wrong = importsOf(file).map((target) => forbidden(file, target)).filter((reason) => reason !== undefined);
      t.strictSame(wrong, [], file);
    }
  });
}

t.test('imports lead to files that are there', async (t) => {
  const files = new Set(Object.keys(LAYERS).flatMap(filesOf));
  for (const file of files) {
    const missing = importsOf(file).filter((target) => isPath(target) && !files.has(target));
    t.strictSame(missing, [], file);
  }
});

t.test('index.ts only exports', async (t) => {
  for (const file of Object.keys(LAYERS).flatMap(filesOf).filter((path) => posix.basename(path) === 'index.ts')) {
    const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ES2022);
    t.ok(source.statements.every((statement) => ts.isExportDeclaration(statement)), file);
  }
});

t.test('no cycles between files', async (t) => {
  const files = WITHOUT_CYCLES.flatMap(filesOf);
  t.ok(files.length > 30, `${files.length} files are looked at`);
  t.equal(findCycle(new Map(files.map((file) => [file, importsOf(file)]))), undefined);
});

t.test('no await at the top of a library module: require() could not load it', async (t) => {
  for (const file of WITHOUT_CYCLES.flatMap(filesOf)) {
    const source = ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ES2022);
    t.notOk(awaits(source), file);
  }
});

/** Whether a node awaits, functions within it left out. */
function awaits(node: ts.Node): boolean {
  if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) return true;
  if (ts.isFunctionLike(node)) return false;
  return ts.forEachChild(node, (child) => awaits(child) || undefined) ?? false;
}

t.test('these checks find what they look for', async (t) => {
  const text = [
    "import { a } from './a.js';",
    "import type { B } from '../lib/b.js';",
    "export { c } from './drain/c.js';",
    "const d = await import('node:fs');",
    "type E = import('./e.js').E;",
    "const f = requirePackage<typeof import('debug')>('debug');",
  ].join('\n');
  const found = ['gracehttp/a.ts', 'lib/b.ts', 'gracehttp/drain/c.ts', 'node:fs', 'gracehttp/e.ts', 'debug', 'debug'];
  t.strictSame(importsOf('gracehttp/x.ts', text).sort(), found.sort());

  const refused = [
    ['lib/a.ts', 'gracehttp/serve.ts'],
    ['lib/a.ts', 'starter/cli/main.ts'],
    ['lib/a.ts', 'lib/index.ts'],
    ['lib/a.ts', 'fs'],
    ['lib/a.ts', 'tap'],
    ['lib/a.ts', '../elsewhere.ts'],
    ['gracehttp/a.ts', 'starter/cli/main.ts'],
    ['gracehttp/drain/a.ts', 'gracehttp/index.ts'],
    ['gracehttp/a.ts', 'lib/index.ts', 'is allowed'],
    ['gracehttp/a.ts', 'prom-client'],
    ['starter/a.ts', 'gracehttp/serve.ts'],
    ['demo/a.ts', 'bench/main.ts'],
    ['demo/a.ts', 'test/fixtures/handler.ts'],
    ['demo/a.ts', 'express'],
    ['demo/a.ts', `${PACKAGE}/gracehttp`, 'is allowed'],
    ['bench/a.ts', 'demo/main.ts'],
  ] as const;
  for (const [file, target, allowed] of refused) {
    t.equal(forbidden(file, target) === undefined, allowed !== undefined, `${file} to ${target} ${allowed ?? 'is forbidden'}`);
  }

  t.strictSame(findCycle(new Map([['a', ['b']], ['b', ['c', 'd']], ['c', []], ['d', ['b']]])), ['b', 'd', 'b']);
  t.strictSame(findCycle(new Map([['a', ['a']]])), ['a', 'a']);
  t.equal(findCycle(new Map([['a', ['b', 'c']], ['b', ['c']], ['c', []]])), undefined);

  const source = (code: string): ts.Node => ts.createSourceFile('x.ts', code, ts.ScriptTarget.ES2022, true);
  t.ok(awaits(source('const a = await b;')));
  t.ok(awaits(source('for await (const a of b) c();')));
  t.notOk(awaits(source('async function a() { await b; } const c = async () => await d;')));
});
