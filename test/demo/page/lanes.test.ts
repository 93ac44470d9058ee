import t from 'tap';
import { intoRows } from '../../../demo/page/lanes.js';

t.test('each item goes into the first row that is free', async (t) => {
  const items = [
    { from: 0, until: 5 },
    { from: 1, until: 2 },
    { from: 3, until: undefined },
    { from: 6, until: 7 },
    { from: 8, until: 9 },
  ];
  t.strictSame(
    intoRows(items, 3, 0).map(({ row }) => row),
    [0, 1, 1, 0, 0],
  );
  t.strictSame(
    intoRows(items, 3, 2).map(({ row }) => row),
    [0, 1, 2, 1, 0],
    'with a gap',
  );
  t.strictSame(
    intoRows(items, 1, 0).map(({ row }) => row),
    [0, 0, 0, 0, 0],
    'too many',
  );
});
