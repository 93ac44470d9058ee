/** A third of the letters may be wrong: more is another word. */
const LETTERS_PER_MISTAKE = 3;

/** The word that was probably meant: the one with the fewest letters wrong. Undefined if no word is close. */
export function nearest(text: string, words: Iterable<string>): string | undefined {
  let found: string | undefined;
  let fewest = Infinity;
  for (const word of words) {
    const mistakes = mistakesBetween(text.toLowerCase(), word.toLowerCase());
    const allowed = Math.max(1, Math.floor(Math.min(text.length, word.length) / LETTERS_PER_MISTAKE));
    if (mistakes > allowed || mistakes >= fewest) continue;
    found = word;
    fewest = mistakes;
  }
  return found;
}

/**
 * How many letters have to be inserted, removed, replaced or swapped with the
 * next one to make one word of the other: the optimal string alignment distance.
 */
export function mistakesBetween(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = last[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      const isSwapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swapped = isSwapped ? beforeLast[column - 2]! + 1 : Infinity;
      current.push(Math.min(replaced, swapped, last[column]! + 1, current[column - 1]! + 1));
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}
