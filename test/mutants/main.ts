import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Random } from '../chaos/random.js';
import { filesOf, readSource } from '../support/sources.js';
import { CHOSEN, placed, testsOfChosen } from './chosen/all.js';
import { Copy, testsOf } from './copy.js';
import { type Mutant, describeMutant, mutantsOf, mutated } from './mutate.js';

/**
 * Makes small mistakes in a copy of lib and gracehttp, one at a time, and runs the tests: a mutant that no test
 * notices survives. Exit code 1 if one does. See test/readme.md.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    chosen: { type: 'boolean', default: false },
    number: { type: 'string', default: '25' },
    seed: { type: 'string', default: '1' },
    test: { type: 'string', multiple: true, default: [] },
    list: { type: 'boolean', default: false },
  },
});

/** A mutant, and the tests that may notice it, in the order in which they are run. */
interface Trial {
  readonly mutant: Mutant;
  readonly name: string;
  readonly tests: readonly string[];
}

const isWanted = (file: string): boolean => positionals.length === 0 || positionals.some((part) => file.includes(part));
const trials = values.chosen ? chosenTrials() : randomTrials();
if (trials.length === 0) throw new Error(`no mutant of ${positionals.join(', ')}`);
if (values.list) {
  for (const { name, tests } of trials) console.log(`${name}\t${tests.join(' ')}`);
} else {
  await play();
}

function chosenTrials(): Trial[] {
  return CHOSEN.filter(({ file }) => isWanted(file)).map((chosen) => {
    const mutant = placed(chosen, readSource(chosen.file));
    return {
      mutant,
      name: `${mutant.file}:${mutant.line}: ${chosen.what}`,
      tests: values.test.length > 0 ? values.test : testsOfChosen(chosen),
    };
  });
}

function randomTrials(): Trial[] {
  const files = ['lib', 'gracehttp'].flatMap(filesOf).filter((file) => isWanted(file) && !file.endsWith('preload-text.ts'));
  const all = files.flatMap((file) => mutantsOf(file, readSource(file)));
  const some = pickSome(all, values.number === 'all' ? all.length : Number(values.number));
  console.log(`${some.length} of ${all.length} mutants, seed ${values.seed}`);
  return some.map((mutant) => ({
    mutant,
    name: describeMutant(mutant),
    tests: values.test.length > 0 ? values.test : testsOf(mutant.file),
  }));
}

async function play(): Promise<void> {
  const copy = new Copy(mkdtempSync(join(tmpdir(), 'mut-')));
  onSignals(copy);
  const survivors: string[] = [];
  try {
    const sound = new Set<string>();
    for (const [index, trial] of trials.entries()) {
      const killer = await killerOf(copy, trial);
      if (killer === undefined) survivors.push(trial.name);
      else await checkTest(copy, killer.test, sound);
      const by = killer === undefined ? 'all tests pass' : `${killer.test}: ${killer.failure ?? 'no end'}`;
      console.log(`${index + 1}/${trials.length} ${killer === undefined ? 'SURVIVES' : 'killed'} ${trial.name} (${by})`);
    }
  } finally {
    copy.remove();
  }
  for (const name of survivors) console.log(`survivor: ${name}`);
  console.log(`${trials.length - survivors.length} of ${trials.length} mutants killed`);
  process.exitCode = survivors.length === 0 ? 0 : 1;
}

function onSignals(copy: Copy): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      copy.remove();
      process.exit(1);
    });
  }
}

/** A test that fails without a mutant would kill each one. */
async function checkTest(copy: Copy, test: string, sound: Set<string>): Promise<void> {
  if (sound.has(test)) return;
  const { passed, failure } = await copy.test(test);
  if (!passed) throw new Error(`${test} fails without a mutant: ${failure ?? 'no end'}`);
  sound.add(test);
}

/** The first test that fails with a mutant, and its first check that failed. */
interface Killer {
  readonly test: string;
  readonly failure: string | undefined;
}

/** The test that notices a mutant; undefined if it survives. */
async function killerOf(copy: Copy, { mutant, tests }: Trial): Promise<Killer | undefined> {
  const text = copy.read(mutant.file);
  copy.write(mutant.file, mutated(text, mutant));
  try {
    for (const test of tests) {
      const { passed, failure } = await copy.test(test);
      if (!passed) return { test, failure };
    }
    return undefined;
  } finally {
    copy.write(mutant.file, text);
  }
}

function pickSome(from: readonly Mutant[], count: number): Mutant[] {
  const random = new Random(Number(values.seed));
  const left = [...from];
  return Array.from({ length: Math.min(count, left.length) }, () => left.splice(random.between(0, left.length - 1), 1)[0]!);
}
