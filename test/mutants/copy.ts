import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import ts from 'typescript';
import { ROOT, filesOf, importsOf } from '../support/sources.js';

/** For each part of a test, in seconds: a mutant that hangs is noticed by it too. That of processes as in .taprc. */
const UNIT_TIMEOUT = '15';
const PROCESS_TIMEOUT = '120';
/** For all parts of a test together. */
const TIMEOUT_MS = 180_000;
const COPIED = [
  'package.json',
  'bundle.mjs',
  'shorten.mjs',
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

/** What a script did. */
export interface Outcome {
  readonly passed: boolean;
  /** The first check of a test that failed; undefined if it printed none. */
  readonly failure: string | undefined;
}

/** A copy of the built repository, in which one file at a time is changed. */
export class Copy {
  readonly #folder: string;
  readonly #temporary: string;
  #running: ChildProcess | undefined;
  /** Whether the bundles are made of the files as they are now. */
  #bundled = true;

  /** @param folder - an empty one. */
  constructor(folder: string) {
    this.#folder = folder;
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    // Without compiled files: tests read and run the fixtures of test/ at that path too.
    cpSync(join(ROOT, 'test'), join(folder, 'test'), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    // A test that is ended leaves its files. Short, as a path of a unix socket has at most 107 characters.
    this.#temporary = join(folder, 't');
    mkdirSync(this.#temporary);
  }

  read(file: string): string {
    return readFileSync(join(this.#folder, file), 'utf8');
  }

  /** Writes a source file and compiles it, without a check of types. */
  write(file: string, text: string): void {
    this.#bundled = false;
    writeFileSync(join(this.#folder, file), text);
    const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
    // An index.ts only exports; in dist it is the bundle.
    if (basename(file) === 'index.ts') return;
    const { outputText } = ts.transpileModule(text, { compilerOptions: options, fileName: file });
    writeFileSync(join(this.#folder, 'dist', file.replace(/\.ts$/, '.js')), outputText);
  }

  /**
   * Runs a test. Tests of processes run the bundles, which are made anew if a file has changed.
   *
   * @throws Error if the bundles cannot be made.
   */
  async test(test: string): Promise<Outcome> {
    if (isProcessTest(test) && !this.#bundled) {
      for (const script of ['preload.mjs', 'bundle.mjs']) {
        if (!(await this.#run(script)).passed) throw new Error(`${script} fails`);
      }
      this.#bundled = true;
    }
    return this.#run(join('dist', test.replace(/\.ts$/, '.js')), isProcessTest(test) ? PROCESS_TIMEOUT : UNIT_TIMEOUT);
  }

  /** Ends what runs, and removes the folder. */
  remove(): void {
    this.#end();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Runs a script in a process group that is ended with it, and at the first failure. */
  async #run(script: string, timeout = UNIT_TIMEOUT): Promise<Outcome> {
    const env = { ...process.env, TMPDIR: this.#temporary, TAP_BAIL: '1', TAP_TIMEOUT: timeout };
    const child = spawn(process.execPath, [script], { cwd: this.#folder, env, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
    this.#running = child;
    const timer = setTimeout(() => this.#end(), TIMEOUT_MS);
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
    child.once('exit', () => this.#end());
    const [code] = (await once(child, 'close')) as [number | null];
    clearTimeout(timer);
    this.#running = undefined;
    return { passed: code === 0, failure: /^ *not ok \d+ - (.{1,100})/m.exec(output)?.[1] };
  }

  #end(): void {
    if (this.#running === undefined) return;
    try {
      process.kill(-this.#running.pid!, 'SIGKILL');
    } catch {
      // All of the group have ended.
    }
  }
}

/** Tests of processes run the bundles, all others the compiled files. */
function isProcessTest(test: string): boolean {
  return test.startsWith('test/process/');
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
