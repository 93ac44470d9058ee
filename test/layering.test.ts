import { builtinModules } from 'node:module';
import { dirname, posix } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { type Import, filesOf, importsOf, parseSource, readSource } from './support/sources.js';

const MANIFEST = JSON.parse(readSource('package.json')) as {
  readonly name: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
};
const PACKAGE = MANIFEST.name;
const RUN_TIME = Object.keys(MANIFEST.dependencies);
const PEERS = Object.keys(MANIFEST.peerDependencies ?? {});
const DEVELOPMENT = Object.keys(MANIFEST.devDependencies);

/** The folders at the root and the packages that the files of a folder may import. */
interface Layer {
  readonly folders: readonly string[];
  readonly packages: readonly string[];
}
const LAYERS: Readonly<Record<string, Layer>> = {
  lib: { folders: [], packages: RUN_TIME },
  gracehttp: { folders: ['lib'], packages: [...RUN_TIME, ...PEERS] },
  starter: { folders: ['lib'], packages: RUN_TIME },
  demo: { folders: ['gracehttp', 'starter', 'lib'], packages: [PACKAGE, 'ws', 'playwright-core'] },
  examples: { folders: [], packages: [PACKAGE, 'ws'] },
  bench: { folders: ['gracehttp', 'starter', 'lib'], packages: [PACKAGE, ...RUN_TIME, ...DEVELOPMENT] },
};
const LIBRARY = ['lib', 'gracehttp', 'starter'];

/**
 * The rooms of the library, and which other rooms of its folder each may use. Types do not count: they are
 * gone when the code runs. A room may also use a file at the top of its folder, if that file uses no other rooms.
 */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  'lib/address': [],
  'lib/check': [],
  'lib/socket': ['lib/address', 'lib/check', 'lib/move', 'lib/socket/accept'],
  'lib/socket/accept': [],
  'lib/launch': [],
  'lib/move': ['lib/check', 'lib/launch'],
  'lib/handoff': ['lib/address', 'lib/check', 'lib/socket', 'lib/launch', 'lib/move'],
  'lib/lifetime': ['lib/check', 'lib/handoff'],
  'lib/probation': ['lib/check', 'lib/handoff', 'lib/socket'],
  'lib/systemd': ['lib/launch', 'lib/signals'],
  'lib/inherit': ['lib/address', 'lib/check', 'lib/socket', 'lib/handoff', 'lib/systemd', 'lib/launch', 'lib/move'],
  'lib/signals': ['lib/handoff'],
  'lib/follow': ['lib/handoff', 'lib/signals'],
  'lib/life': ['lib/follow', 'lib/handoff', 'lib/inherit', 'lib/lifetime', 'lib/probation', 'lib/signals', 'lib/socket', 'lib/systemd'],
  'gracehttp/http': ['gracehttp/http2'],
  'gracehttp/http2': [],
  'gracehttp/move': ['gracehttp/http'],
  'gracehttp/tls': [],
  'gracehttp/limit': ['gracehttp/http'],
  'gracehttp/health': [],
  'gracehttp/warmup': ['gracehttp/http'],
  'gracehttp/websocket': [],
  'gracehttp/auto': [
    ...['gracehttp/auto/listen', 'gracehttp/auto/hold', 'gracehttp/auto/options', 'gracehttp/auto/compiled'],
    ...['gracehttp/http', 'gracehttp/move', 'gracehttp/limit', 'gracehttp/tls'],
  ],
  'gracehttp/auto/listen': [],
  'gracehttp/auto/hold': ['gracehttp/http'],
  'gracehttp/auto/options': [],
  'gracehttp/auto/compiled': [],
  'gracehttp/auto/cli': ['gracehttp/auto/listen', 'gracehttp/auto/options'],
  'gracehttp/entry': ['gracehttp/http', 'gracehttp/limit'],
  'starter/sockets': [],
  'starter/process': [],
  'starter/moves': [],
  'starter/log': ['starter/process'],
  'starter/control': ['starter/log', 'starter/process'],
  'starter/workers': ['starter/sockets', 'starter/control', 'starter/log', 'starter/moves', 'starter/process'],
  'starter/upgrade': ['starter/sockets', 'starter/control', 'starter/log', 'starter/process', 'starter/workers'],
  // The command is above the library that it starts.
  'starter/cli': ['starter', 'starter/control', 'starter/log', 'starter/process', 'starter/upgrade'],
};

const isPath = (target: string): boolean => target.endsWith('.ts') || target.startsWith('..');
const packageOf = (target: string): string =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
const isBuiltin = (target: string): boolean => target.startsWith('node:') || builtinModules.includes(target);

/** Why a file may not import something; undefined if it may. */
function forbidden(file: string, target: string): string | undefined {
  const [folder = ''] = file.split('/');
  const layer = LAYERS[folder]!;
  if (isBuiltin(target)) return target.startsWith('node:') ? undefined : `write node:${target}`;
  if (!isPath(target)) return layer.packages.includes(packageOf(target)) ? undefined : `${folder} may not use the package ${target}`;
  const [other = ''] = target.split('/');
  if (other === folder) return target === `${folder}/index.ts` ? `index.ts is for users outside of ${folder}` : undefined;
  return layer.folders.includes(other) ? undefined : `${folder} may not use ${other}`;
}

/** Why a file of a room may not use another file of its folder; undefined if it may. */
function forbiddenInRoom(file: string, { target, typeOnly }: Import, roomsBehind: (file: string) => readonly string[]): string | undefined {
  const [room, other] = [dirname(file), dirname(target)];
  if (typeOnly || !isPath(target) || other === room || other.split('/')[0] !== room.split('/')[0]) return undefined;
  if (ROOMS[room]!.includes(other)) return undefined;
  if (other in ROOMS) return `${room} may not use ${other}`;
  const behind = roomsBehind(target).filter((used) => used !== room && !ROOMS[room]!.includes(used));
  return behind.length > 0 ? `${room} may not use ${target}, which uses ${behind.join(', ')}` : undefined;
}

/** The rooms that a file at the top of a folder uses, also by other files at the top. */
function roomsBehind(file: string): string[] {
  const rooms = new Set<string>();
  const seen = new Set([file]);
  for (const top of seen) {
    for (const { target, typeOnly } of importsOf(top)) {
      if (typeOnly || !isPath(target) || target.split('/')[0] !== top.split('/')[0]) continue;
      if (dirname(target) in ROOMS) rooms.add(dirname(target));
      else seen.add(target);
    }
  }
  return [...rooms];
}

/** A cycle in a graph, as a path from a node back to itself; undefined if there is no cycle. */
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

/** Whether a node awaits, outside of the functions in it. */
function awaits(node: ts.Node): boolean {
  if (ts.isAwaitExpression(node) || (ts.isForOfStatement(node) && node.awaitModifier !== undefined)) return true;
  if (ts.isFunctionLike(node)) return false;
  return ts.forEachChild(node, (child) => awaits(child) || undefined) ?? false;
}

for (const folder of Object.keys(LAYERS)) {
  t.test(`imports of ${folder}`, async (t) => {
    const files = filesOf(folder);
    t.ok(files.length > 0, `${files.length} files in ${folder}`);
    for (const file of files) {
      const wrong = importsOf(file)
        .map(({ target }) => forbidden(file, target))
        .filter((reason) => reason !== undefined);
      t.strictSame(wrong, [], file);
    }
  });
}

t.test('every room is in the table', async (t) => {
  const rooms = new Set(
    LIBRARY.flatMap(filesOf)
      .map((file) => dirname(file))
      .filter((room) => !LIBRARY.includes(room)),
  );
  t.strictSame([...rooms].sort(), Object.keys(ROOMS).sort());
});

for (const room of Object.keys(ROOMS)) {
  t.test(`imports of ${room}`, async (t) => {
    const files = filesOf(room);
    t.ok(files.length > 0, `${files.length} files in ${room}`);
    for (const file of files) {
      const wrong = importsOf(file)
        .map((found) => forbiddenInRoom(file, found, roomsBehind))
        .filter((reason) => reason !== undefined);
      t.strictSame(wrong, [], file);
    }
  });
}

t.test('fixtures import the package by its name: they test what ships', async (t) => {
  const files = filesOf('test/fixtures');
  const targets = files.flatMap((file) => importsOf(file).map(({ target }) => target));
  t.ok(targets.includes(`${PACKAGE}/gracehttp`), `${files.length} fixtures import ${PACKAGE}`);
  t.strictSame(
    targets.filter((target) => target.split('/')[0]! in LAYERS),
    [],
  );
});

t.test('every imported file exists', async (t) => {
  const files = new Set(Object.keys(LAYERS).flatMap(filesOf));
  t.ok(files.size > 0);
  for (const file of files) {
    const missing = importsOf(file).filter(({ target }) => isPath(target) && !files.has(target));
    t.strictSame(missing, [], file);
  }
});

t.test('index.ts only exports', async (t) => {
  for (const folder of LIBRARY) {
    const { statements } = parseSource(`${folder}/index.ts`);
    t.ok(statements.length > 0 && statements.every((statement) => ts.isExportDeclaration(statement)), folder);
  }
  const others = Object.keys(LAYERS)
    .flatMap(filesOf)
    .filter((file) => posix.basename(file) === 'index.ts');
  const exported = [...LIBRARY, 'gracehttp/websocket', 'gracehttp/auto'];
  t.equal(others.length, exported.length, 'only the folders that are exported have one');
});

t.test('no cycles between files', async (t) => {
  const files = LIBRARY.flatMap(filesOf);
  t.ok(files.length > 30, `${files.length} files`);
  const graph = new Map(files.map((file) => [file, importsOf(file).map(({ target }) => target)]));
  t.equal(findCycle(graph), undefined);
});

t.test('no await at the top of a library module: require() could not load it', async (t) => {
  const files = LIBRARY.flatMap(filesOf);
  t.ok(files.length > 30, `${files.length} files`);
  for (const file of files) t.notOk(awaits(parseSource(file)), file);
});

t.test('the check of imports finds every kind of import', async (t) => {
  const text = [
    "import { a, type A } from './a.js';",
    "import type { B } from '../lib/b.js';",
    "import { type C } from './c.js';",
    "export { d } from './drain/d.js';",
    "export { type E } from './e.js';",
    "import './f.js';",
    "import * as g from './g.js';",
    "const h = await import('node:fs');",
    "type I = import('./i.js').I;",
    "const k = requirePackage<typeof import('debug')>('debug');",
  ].join('\n');
  const found = importsOf('gracehttp/x.ts', text).map(({ target, typeOnly }) => `${target}${typeOnly ? ' type' : ''}`);
  t.strictSame(found.sort(), [
    'debug',
    'debug type',
    'gracehttp/a.ts',
    'gracehttp/c.ts type',
    'gracehttp/drain/d.ts',
    'gracehttp/e.ts type',
    'gracehttp/f.ts',
    'gracehttp/g.ts',
    'gracehttp/i.ts type',
    'lib/b.ts type',
    'node:fs',
  ]);
});

t.test('the rules refuse what they should', async (t) => {
  const cases = [
    ['lib/a.ts', 'gracehttp/serve.ts'],
    ['lib/a.ts', 'starter/cli/main.ts'],
    ['lib/a.ts', 'lib/index.ts'],
    ['lib/a.ts', 'fs'],
    ['lib/a.ts', 'tap'],
    ['lib/a.ts', '../elsewhere.ts'],
    ['gracehttp/a.ts', 'starter/cli/main.ts'],
    ['gracehttp/http/a.ts', 'gracehttp/index.ts'],
    ['gracehttp/a.ts', 'lib/index.ts', 'is allowed'],
    ['starter/a.ts', 'gracehttp/serve.ts'],
    ['demo/a.ts', 'bench/main.ts'],
    ['demo/a.ts', 'test/fixtures/handler.ts'],
    ['demo/a.ts', 'express'],
    ['demo/a.ts', `${PACKAGE}/gracehttp`, 'is allowed'],
    ['bench/a.ts', 'demo/main.ts'],
  ] as const;
  for (const [file, target, allowed] of cases) {
    t.equal(forbidden(file, target) === undefined, allowed !== undefined, `${file} to ${target} ${allowed ?? 'is forbidden'}`);
  }

  const behind = (file: string): string[] => (file === 'lib/errors.ts' ? [] : ['lib/handoff']);
  const inRooms = [
    ['lib/address/a.ts', 'lib/socket/b.ts'],
    ['lib/address/a.ts', 'lib/process-table.ts'],
    ['lib/follow/a.ts', 'lib/process-table.ts', 'is allowed'],
    ['lib/address/a.ts', 'lib/errors.ts', 'is allowed'],
    ['lib/socket/a.ts', 'lib/address/b.ts', 'is allowed'],
    ['lib/socket/a.ts', 'lib/follow/b.ts'],
    ['lib/socket/a.ts', 'node:net', 'is allowed'],
    ['gracehttp/http/a.ts', 'gracehttp/limit/b.ts'],
    ['gracehttp/limit/a.ts', 'gracehttp/http/b.ts', 'is allowed'],
    ['gracehttp/http/a.ts', 'lib/socket/b.ts', 'is allowed'],
    ['starter/workers/a.ts', 'starter/cli/main.ts'],
  ] as const;
  for (const [file, target, allowed] of inRooms) {
    const reason = forbiddenInRoom(file, { target, typeOnly: false }, behind);
    t.equal(reason === undefined, allowed !== undefined, `${file} to ${target} ${allowed ?? 'is forbidden'}`);
    t.equal(forbiddenInRoom(file, { target, typeOnly: true }, behind), undefined, 'a type is allowed');
  }

  t.ok(roomsBehind('gracehttp/app.ts').includes('gracehttp/limit'));
  t.strictSame(roomsBehind('lib/errors.ts'), []);

  t.strictSame(
    findCycle(
      new Map([
        ['a', ['b']],
        ['b', ['c', 'd']],
        ['c', []],
        ['d', ['b']],
      ]),
    ),
    ['b', 'd', 'b'],
  );
  t.strictSame(findCycle(new Map([['a', ['a']]])), ['a', 'a']);
  t.equal(
    findCycle(
      new Map([
        ['a', ['b', 'c']],
        ['b', ['c']],
        ['c', []],
      ]),
    ),
    undefined,
  );

  const source = (code: string): ts.Node => parseSource('x.ts', code);
  t.ok(awaits(source('const a = await b;')));
  t.ok(awaits(source('for await (const a of b) c();')));
  t.notOk(awaits(source('async function a() { await b; } const c = async () => await d;')));
});
