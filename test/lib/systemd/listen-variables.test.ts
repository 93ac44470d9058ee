import t from 'tap';
import { parseListenVariables } from '../../../lib/systemd/listen-variables.js';
import { fails } from '../../support/errors.js';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { object, textsLike } from '../../support/properties/values.js';

t.test('LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES', async (t) => {
  const SELF = 42;
  const none = undefined;
  const good: readonly (readonly [
    what: string,
    fds: string | undefined,
    pid: string | undefined,
    names: string | undefined,
    found: unknown[],
  ])[] = [
    ['nothing', none, none, none, []],
    ['a pid alone', none, '42', none, []],
    ['names alone', none, none, 'a:b', []],
    ['no sockets', '0', '42', none, []],
    ['no sockets and no names', '0', '42', '', []],
    ['one socket', '1', '42', none, [none]],
    ['three sockets', '3', '42', none, [none, none, none]],
    ['a count with leading zeros', '01', '042', none, [none]],
    ['one name', '1', '42', 'web', ['web']],
    ['names', '2', '42', 'web:admin', ['web', 'admin']],
    ['one name twice', '2', '42', 'web:web', ['web', 'web']],
    ['no name', '1', '42', '', [none]],
    ["unknown: systemd's name for a socket without a name", '3', '42', 'a:unknown:', ['a', none, none]],
    ['no pid: nothing was passed to this process', '1', none, none, []],
    ['the pid of another process', '1', '41', none, []],
    ['the pid of another process, and a count that is not a number', 'abc', '41', none, []],
    ['the pid of another process, and names that do not fit', '1', '41', 'a:b', []],
    ['an empty LISTEN_FDS: as if it was not set', '', '42', none, []],
    ['an empty LISTEN_FDS, and a pid that is not a number', '', 'abc', none, []],
    ['an empty LISTEN_FDS and an empty LISTEN_PID', '', '', '', []],
    ['an empty LISTEN_PID: as if it was not set', '1', '', none, []],
    ['the pid 0', '1', '0', none, []],
  ];
  for (const [what, fds, pid, names, found] of good) t.strictSame(parseListenVariables({ fds, pid, names }, SELF), found, what);

  for (const fds of ['abc', '-1', '+1', '1e3', ' ', ' 1', '1 ', '1.0', '0x1', '1,2', '99999999999', '١']) {
    for (const pid of ['42', none]) {
      const facts = { code: 'INHERITANCE_INVALID', subject: 'LISTEN_FDS', value: fds } as const;
      await fails(t, () => parseListenVariables({ fds, pid, names: none }, SELF), facts, `LISTEN_FDS=${fds}, LISTEN_PID=${pid}`);
    }
  }
  for (const pid of ['abc', '-42', '4.2e1', '42 ', '99999999999']) {
    const facts = { code: 'INHERITANCE_INVALID', subject: 'LISTEN_PID', value: pid } as const;
    await fails(t, () => parseListenVariables({ fds: '1', pid, names: none }, SELF), facts, `LISTEN_PID=${pid}`);
  }
  for (const [fds, names] of [
    ['1', 'a:b'],
    ['2', 'a'],
    ['2', ''],
    ['999999999', 'a'],
    ['3', 'a:b:c:'],
  ] as const) {
    const facts = { code: 'INHERITANCE_INVALID', subject: 'LISTEN_FDNAMES', value: names } as const;
    await fails(t, () => parseListenVariables({ fds, pid: '42', names }, SELF), facts, `${fds} sockets, names ${names}`);
  }
  t.equal(
    parseListenVariables({ fds: '999999999', pid: '42', names: none }, SELF).length,
    1_048_576,
    'at most as many as a process can have',
  );
});

t.test('every list of names is read as it was printed, and other values are refused or count as unset', async (t) => {
  const self = 42;
  const name = fc.string({ minLength: 1 }).filter((text) => !text.includes(':') && text !== 'unknown');
  holds(t, 'names', fc.array(fc.option(name, { nil: undefined }), { minLength: 1 }), (names) => {
    const text = names.map((each) => each ?? 'unknown').join(':');
    assert.deepEqual(parseListenVariables({ fds: String(names.length), pid: String(self), names: text }, self), names);
  });
  const value = fc.option(textsLike(fc.constantFrom('0', '1', '42', 'web:admin')), { nil: undefined });
  holds(t, 'values', object({ fds: value, pid: value, names: value }), (variables) => {
    unlessRefused(() => parseListenVariables(variables, self), 'INHERITANCE_INVALID');
  });
});
