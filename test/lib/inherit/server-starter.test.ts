import t from 'tap';
import { parseServerStarterPort } from '../../../lib/inherit/server-starter.js';
import { fails } from '../../support/errors.js';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { object, textsLike } from '../../support/properties/values.js';

t.test('SERVER_STARTER_PORT', async (t) => {
  const good: readonly (readonly [string, readonly (readonly [address: string, fd: number])[]])[] = [
    ['', []],
    [';', []],
    ['80=3', [['80', 3]]],
    ['127.0.0.1:80=3', [['127.0.0.1:80', 3]]],
    ['[::1]:80=4', [['[::1]:80', 4]]],
    ['/run/a.sock=5', [['unix:/run/a.sock', 5]]],
    ['a=b.sock=5', [['unix:a=b.sock', 5]]],
    [
      '80=3;127.0.0.1:81=4;/run/a.sock=5;',
      [
        ['80', 3],
        ['127.0.0.1:81', 4],
        ['unix:/run/a.sock', 5],
      ],
    ],
    ['80=999999999', [['80', 999_999_999]]],
  ];
  for (const [value, found] of good) {
    t.strictSame(
      parseServerStarterPort(value),
      found.map(([address, fd]) => ({ address, fd })),
      JSON.stringify(value),
    );
  }
  for (const value of [
    '80',
    '=3',
    '80=',
    '80=x',
    '80=-1',
    '80=3.5',
    '80=1e1',
    '80= 3',
    '80=3 ',
    '80=9999999999',
    '80=3;81',
    '80=3,81=4x',
  ]) {
    const facts = { code: 'INHERITANCE_INVALID', subject: 'SERVER_STARTER_PORT', value } as const;
    await fails(t, () => parseServerStarterPort(value), facts, value);
  }
});

const entry = object({
  target: fc.oneof(
    fc.constantFrom('80', '127.0.0.1:80', '[::1]:80'),
    fc.webPath().map((path) => `/run${path}`),
  ),
  fd: fc.nat({ max: 999_999_999 }),
});
const entries = fc.array(entry).filter((all) => all.every(({ target }) => !target.includes(';')));

t.test('every list of sockets is read as it was printed, and every other text is refused', async (t) => {
  const print = (all: readonly { readonly target: string; readonly fd: number }[]): string =>
    all.map(({ target, fd }) => `${target}=${fd}`).join(';');
  holds(t, 'lists', entries, (all) => {
    const found = parseServerStarterPort(print(all));
    assert.deepEqual(
      found.map(({ address, fd }) => ({ target: address.replace(/^unix:/, ''), fd })),
      all,
    );
  });
  holds(t, 'texts', textsLike(entries.map(print)), (text) => void unlessRefused(() => parseServerStarterPort(text), 'INHERITANCE_INVALID'));
});
