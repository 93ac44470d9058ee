import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../chaos/random.js';
import { filesOf, readSource } from '../support/sources.js';
import { Copy, testsOf } from './copy.js';
import { type Mutant, describeMutant, mutantsOf, mutated } from './mutate.js';

/**
 * Makes small mistakes in a copy of lib and gracehttp, one at a time, and runs the tests: a mutant that no test
 * notices survives. Exit code 1 if one does. See test/readme.md.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    number: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    test: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
  },
});

const chosen = (file: string): boolean => positionals.length === 0 || positionals.some((part) => file.includes(part));
const files = ['lib', 'gracehttp'].flatMap(filesOf).filter(chosen);
const all = files.filter((file) => !file.endsWith('preload-text.ts')).flatMap((file) => mutantsOf(file, readSource(file)));
const random = new Random(Number(values.seed));
const some = pickSome(all, values.number === 'all' ? all.length : Number(values.number));
if (some.length === 0) throw new Error(`no mutant of ${positionals.join(', ')}`);
if (values.list) {
  for (const mutant of some) console.log(`${describeMutant(mutant)}\t${testsFor(mutant).join(' ')}`);
} else {
  await play();
}

async function play(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'grace-mutants-'));
  const survivors: Mutant[] = [];
  try {
    const copy = new Copy(folder);
    await checkTests(copy);
    for (const [index, mutant] of some.entries()) {
      const killer = await killerOf(copy, mutant);
      if (killer === undefined) survivors.push(mutant);
      console.log(
        `${index + 1}/${some.length} ${killer === undefined ? 'SURVIVES' : 'killed  '} ${describeMutant(mutant)}${killer === undefined ? '' : `  (${killer})`}`,
      );
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  for (const mutant of survivors) console.log(`survivor: ${describeMutant(mutant)}`);
  console.log(`${some.length - survivors.length} of ${some.length} mutants killed (seed ${values.seed}, of ${all.length})`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
}

/** A test that fails without a mutant would kill each one. */
async function checkTests(copy: Copy): Promise<void> {
  for (const test of new Set(some.flatMap(testsFor))) {
    if (!(await copy.run(compiled(test)))) throw new Error(`${test} fails without a mutant`);
  }
}

/** The first test that fails with a mutant; undefined if it survives. */
async function killerOf(copy: Copy, mutant: Mutant): Promise<string | undefined> {
  const text = copy.read(mutant.file);
  const bundle = testsFor(mutant).some(isProcessTest);
  try {
    if (!(await copy.write(mutant.file, mutated(text, mutant), bundle))) return 'the bundler';
    for (const test of testsFor(mutant)) if (!(await copy.run(compiled(test)))) return test;
    return undefined;
  } finally {
    await copy.write(mutant.file, text, bundle);
  }
}

function testsFor({ file }: Mutant): readonly string[] {
  return values.test.length > 0 ? values.test : testsOf(file);
}

function isProcessTest(test: string): boolean {
  return test.startsWith('test/process/');
}

function compiled(test: string): string {
  return join('dist', test.replace(/\.ts$/, '.js'));
}

function pickSome(from: readonly Mutant[], count: number): Mutant[] {
  const left = [...from];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(random.between(0, left.length - 1), 1)[0]!);
}
