import { spawn } from 'node:child_process';
import { cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { ROOT, filesOf, importsOf } from '../support/sources.js';

const COPIED = [
  'package.json',
  'bundle.mjs',
  'shrink.mjs',
  'preload.mjs',
  'lib',
  'gracehttp',
  'starter',
  'demo',
  'bench',
  'dist',
  'docs',
  'readme.md',
  'license',
  'changelog.md',
];

/** A copy of the built repository, in which one file at a time is changed. */
export class Copy {
  readonly #folder: string;

  /** @param folder - an empty one. */
  constructor(folder: string) {
    this.#folder = folder;
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    // Without compiled files: tests read and run the fixtures of test/ at that path too.
    cpSync(join(ROOT, 'test'), join(folder, 'test'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  }

  read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  /** Writes a source file and compiles it, without a check of types; also the bundles, if `bundle`. Resolves to whether that worked. */
  async write(file: string, text: string, bundle: boolean): Promise<boolean> {
    writeFileSync(join(this.#folder, file), text);
    const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    // An index.ts only exports; in dist it is the bundle.
    if (basename(file) !== 'index.ts') {
      const { outputText } = ts.transpileModule(text, { compilerOptions: options, fileName: file });
      writeFileSync(join(this.#folder, 'dist', file.replace(/\.ts$/, '.js')), outputText);
    }
    if (!bundle) return true;
    return (await this.run('preload.mjs')) && (await this.run('bundle.mjs'));
  }

  /** Runs a compiled test, or another script, in a process group that is ended with it. */
  run(script: string, timeout = 120_000): Promise<boolean> {
    const child = spawn(process.execPath, [script], { cwd: this.#folder, stdio: 'ignore', detached: true });
    const end = (): void => {
      try {
        process.kill(-child.pid!, 'SIGKILL');
      } catch {
        // All of the group have ended.
      }
    };
    const timer = setTimeout(end, timeout);
    return new Promise((done) => {
      child.on('exit', (code) => {
        clearTimeout(timer);
        end();
        done(code === 0);
      });
    });
  }
}

/** The unit tests that a file of the library has: the one at its path, or else those that import it, or a file that imports it. */
export function testsOf(file: string): string[] {
  const mirror = join('test', file.replace(/\.ts$/, '.test.ts'));
  const near = unitTests().filter((test) => distance(test, file) <= FAR);
  const own = existsSync(join(ROOT, mirror)) ? [mirror] : [];
  return [...new Set([...own, ...near.sort((a, b) => rank(a, file) - rank(b, file))])].slice(0, MOST_TESTS);
}

/** How many imports may be between a test and a file that it tests. */
const FAR = 3;
const MOST_TESTS = 8;

/** Tests in the folder of the file first, then the nearest. */
function rank(test: string, file: string): number {
  return distance(test, file) + (dirname(test) === join('test', dirname(file)) ? 0 : FAR);
}

function unitTests(): string[] {
  return ['lib', 'gracehttp', 'starter'].flatMap((folder) => filesOf(`test/${folder}`)).filter((file) => file.endsWith('.test.ts'));
}

const imports = new Map<string, readonly string[]>();

function importsWithCode(file: string): readonly string[] {
  let found = imports.get(file);
  if (found === undefined) {
    found = importsOf(file)
      .filter(({ target, typeOnly }) => !typeOnly && target.endsWith('.ts'))
      .map(({ target }) => target);
    imports.set(file, found);
  }
  return found;
}

/** The number of imports on the shortest way from one file to another; Infinity if there is none within reach. */
function distance(from: string, to: string): number {
  let reached = [from];
  for (let steps = 1; steps <= FAR; steps += 1) {
    reached = [...new Set(reached.flatMap(importsWithCode))];
    if (reached.includes(to)) return steps;
  }
  return Infinity;
}
