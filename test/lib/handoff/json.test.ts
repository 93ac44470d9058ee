import t from 'tap';
import { formatLine, isCount, isRecord, parseRecord } from '../../../lib/handoff/json.js';

t.test('formatLine and parseRecord', async (t) => {
  t.equal(formatLine({ a: 'two\nlines' }), '{"a":"two\\nlines"}\n');
  t.strictSame(parseRecord('{"a":[1]}\n'), { a: [1] });
  for (const text of ['', 'x', '{', 'null', '1', '"a"', '[]', '[{}]']) t.equal(parseRecord(text), undefined, text);
});

t.test('isRecord', async (t) => {
  t.ok(isRecord({}));
  for (const value of [null, undefined, [], 1, 'a', () => undefined]) t.notOk(isRecord(value));
});

t.test('isCount', async (t) => {
  for (const value of [0, 1, 2 ** 53 - 1]) t.ok(isCount(value), String(value));
  for (const value of [-1, 1.5, NaN, Infinity, 2 ** 53, '1', null, undefined, 1n]) t.notOk(isCount(value), String(value));
});
