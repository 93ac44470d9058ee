import t from 'tap';
import { GraceError, errnoCode, show } from '../../lib/errors.js';

t.test('a GraceError carries its facts', async (t) => {
  const cause = new Error('before');
  const error = new GraceError('RESTART_FAILED', 'it failed', {
    subject: 'a',
    value: 1,
    exitCode: 7,
    signal: null,
    stderr: 'words',
    pid: 5,
    cause,
  });
  t.match(error, { name: 'GraceError', code: 'RESTART_FAILED', message: 'it failed', subject: 'a', value: 1 });
  t.match(error, { exitCode: 7, signal: null, stderr: 'words', pid: 5 });
  t.equal(error.cause, cause);
  t.ok(error instanceof Error);
  t.match(error.stack, 'GraceError: it failed');
});

t.test('a GraceError has no properties for facts that were not given', async (t) => {
  const error = new GraceError('PID_FILE', 'm');
  t.notOk('cause' in error, 'no cause');
  t.strictSame(Object.keys(error).sort(), ['code', 'name']);
});

t.test('errnoCode', async (t) => {
  t.equal(errnoCode(Object.assign(new Error('m'), { code: 'EADDRINUSE' })), 'EADDRINUSE');
  t.equal(errnoCode(new Error('m')), undefined);
  t.equal(errnoCode({ code: 'EADDRINUSE' }), undefined, 'of errors only');
  t.equal(errnoCode(undefined), undefined);
});

t.test('show: any value, short and on one line', async (t) => {
  const table: readonly (readonly [unknown, string])[] = [
    ['text', '"text"'],
    ['two\nlines', '"two\\nlines"'],
    ['', '""'],
    [5, '5'],
    [-0, '-0'],
    [NaN, 'NaN'],
    [5n, '5n'],
    [null, 'null'],
    [undefined, 'undefined'],
    [true, 'true'],
    [Symbol('s'), 'Symbol(s)'],
    [{}, '{}'],
    [Object.create(null), '[Object: null prototype] {}'],
    [['SIGTERM', 5], "[ 'SIGTERM', 5 ]"],
    [
      () => {
        t.fail('is not called');
      },
      '[Function (anonymous)]',
    ],
  ];
  for (const [value, text] of table) t.equal(show(value), text);
  t.equal(show('x'.repeat(1000)).length, 120);
  t.match(show('x'.repeat(1000)), /x\.\.\.$/);
  t.notMatch(show({ a: 'x'.repeat(90), b: { c: 'y'.repeat(90), d: new Error('an error') } }), '\n');
});
