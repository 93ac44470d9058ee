import t from 'tap';
import { tooFew } from './support/http/check-load.js';

t.test('a load tells which kind of client had too few answers from which generation', async (t) => {
  const kinds = { fast: { 1: 2, 2: 2, 3: 1 }, slow: { 1: 5, 2: 1 } };
  t.strictSame(tooFew(kinds, [[1]], 2), []);
  t.strictSame(tooFew(kinds, [[1], [2]], 2), ['slow: 1 answers from 2']);
  t.strictSame(tooFew(kinds, [[2, 3]], 2), ['slow: 1 answers from 2 or 3'], 'the workers of a generation count together');
  t.strictSame(tooFew(kinds, [[4]], 1), ['fast: 0 answers from 4', 'slow: 0 answers from 4']);
  t.strictSame(tooFew({}, [[1]], 1), ['there were no clients']);
});
