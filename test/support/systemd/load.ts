import { type CheckedLoad, tooFew } from '../http/check-load.js';
import { type Program } from '../program.js';
import { waitUntil } from '../wait.js';

/** Resolves when every kind of client of the program `load` has had answers from a process. */
export async function answeredBy(load: Program, pid: number): Promise<void> {
  const missing = (): string[] => {
    const latest = load.all('answered').at(-1);
    return latest === undefined ? ['no report yet'] : tooFew(latest['kinds'] as CheckedLoad['kinds'], [[pid]]);
  };
  await waitUntil(
    `answers of ${pid}`,
    () => missing().length === 0,
    () => missing().join('\n'),
  );
}
