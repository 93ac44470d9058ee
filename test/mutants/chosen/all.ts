import { type Mutant } from '../mutate.js';
import { DRAIN_MUTANTS } from './drain.js';
import { HAND_OVER_MUTANTS } from './hand-over.js';
import { LIMIT_MUTANTS } from './limits.js';
import { MOVE_MUTANTS } from './move.js';
import { type ChosenMutant } from './mutant.js';
import { REVERSION_MUTANTS } from './reversion.js';

/** Mutants in the hand-over, the drain, the limits, moving connections and the probation. */
export const CHOSEN: readonly ChosenMutant[] = [
  ...HAND_OVER_MUTANTS,
  ...DRAIN_MUTANTS,
  ...LIMIT_MUTANTS,
  ...MOVE_MUTANTS,
  ...REVERSION_MUTANTS,
];

/**
 * The place of a chosen mutant in the text of its file.
 *
 * @throws Error if the text to change is not there, or there twice: the file has changed since the mutant was chosen.
 */
export function placed({ file, before, after }: ChosenMutant, text: string): Mutant {
  const from = text.indexOf(before);
  if (from === -1) throw new Error(`${file} has no ${JSON.stringify(before)}: choose this mutant anew`);
  if (text.includes(before, from + 1)) throw new Error(`${file} has ${JSON.stringify(before)} twice: choose a longer text`);
  return { file, line: text.slice(0, from).split('\n').length, from, to: from + before.length, before, after };
}

export function testsOfChosen({ tests }: ChosenMutant): readonly string[] {
  return tests.map((test) => `test/${test}.test.ts`);
}
