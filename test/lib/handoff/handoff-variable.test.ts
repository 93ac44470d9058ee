import t from 'tap';
import {
  type Handoff,
  type HandoffSocket,
  formatHandoff,
  parseHandoff,
  socketsOf,
  splitHandoff,
} from '../../../lib/handoff/handoff-variable.js';
import { fails } from '../../support/errors.js';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { count, object, textsLike } from '../../support/properties/values.js';

const SOCKET: HandoffSocket = {
  fd: 3,
  name: 'public',
  asked: ':0',
  bound: { kind: 'tcp', host: '::', port: 40_000 },
  backlog: 511,
  origin: 'bound',
  file: undefined,
};
const UNIX_SOCKET: HandoffSocket = {
  fd: 4,
  name: undefined,
  asked: 'unix:/run/a.sock',
  bound: { kind: 'unix', path: '/run/a.sock' },
  backlog: 2_147_483_647,
  origin: 'systemd',
  file: { dev: '18446744073709551615', ino: '1' },
};
const UNKNOWN_SOCKET: HandoffSocket = { ...SOCKET, fd: 5, bound: undefined, name: undefined, origin: 'fd', backlog: 0 };
const HANDOFF: Handoff = { pid: 10, generation: 2, pipe: 6, nonce: 'n', sockets: [SOCKET, UNIX_SOCKET, UNKNOWN_SOCKET] };

t.test('a handoff is read as it was written', async (t) => {
  for (const handoff of [HANDOFF, { ...HANDOFF, sockets: [] }]) t.strictSame(parseHandoff(formatHandoff(handoff)), handoff);
});

t.test('a list of many sockets goes through the pipe, as one variable has at most 128 KiB (E2BIG)', async (t) => {
  const many = Array.from({ length: 2_000 }, (_, index) => ({ ...SOCKET, fd: 7 + index }));
  const { variable, state } = splitHandoff({ ...HANDOFF, sockets: many });
  t.ok(variable.length < 1_000, `${variable.length} characters`);
  const read = parseHandoff(variable);
  t.strictSame(read, { ...HANDOFF, sockets: undefined });
  t.strictSame(socketsOf(read, JSON.parse(JSON.stringify(state)) as typeof state), many);
  await fails(t, () => socketsOf(read, {}), { code: 'INHERITANCE_INVALID', subject: 'GRACE_HANDOFF', value: variable }, 'without the list');

  const few = splitHandoff(HANDOFF);
  t.strictSame(few, { variable: formatHandoff(HANDOFF), state: {} });
  t.strictSame(socketsOf(parseHandoff(few.variable), {}), HANDOFF.sockets);
});

t.test('fields of a later version are ignored', async (t) => {
  const more = { ...(JSON.parse(formatHandoff(HANDOFF)) as object), later: true };
  t.strictSame(parseHandoff(JSON.stringify(more)), HANDOFF);
});

t.test('an invalid handoff', async (t) => {
  const changed = (change: object): string => JSON.stringify({ ...(JSON.parse(formatHandoff(HANDOFF)) as object), ...change });
  const socket = (change: object): string => changed({ sockets: [{ ...SOCKET, ...change }] });
  const whole = formatHandoff(HANDOFF);
  const broken: Record<string, string> = {
    'is empty': '',
    'is not JSON': '{',
    'is cut off': whole.slice(0, -1),
    'is written twice': whole + whole,
    'is null': 'null',
    'is a number': '1',
    'is an array': `[${whole}]`,
    'is empty JSON': '{}',
    'has no version': changed({ version: undefined }),
    'has an older version': changed({ version: 0 }),
    'has a later version': changed({ version: 2 }),
    'has its version as text': changed({ version: '1' }),
    'has no pid': changed({ pid: undefined }),
    'has a negative pid': changed({ pid: -1 }),
    'has its pid as text': changed({ pid: '10' }),
    'has a fractional generation': changed({ generation: 1.5 }),
    'has no generation': changed({ generation: undefined }),
    'has no pipe': changed({ pipe: undefined }),
    'has a negative pipe': changed({ pipe: -1 }),
    'has a pipe that JSON cannot hold': changed({ pipe: 2 ** 53 }),
    'has no nonce': changed({ nonce: undefined }),
    'has an empty nonce': changed({ nonce: '' }),
    'has a nonce that is a number': changed({ nonce: 1 }),
    'has a follow descriptor that is text': changed({ follow: '7' }),
    'has a follow descriptor that is the pipe': changed({ follow: HANDOFF.pipe }),
    'has no sockets': changed({ sockets: undefined }),
    'has sockets that are not an array': changed({ sockets: {} }),
    'has a socket that is null': changed({ sockets: [null] }),
    'has a socket that is a number': changed({ sockets: [3] }),
    'has a socket that is an array': changed({ sockets: [[]] }),
    'has a socket without fd': socket({ fd: undefined }),
    'has a negative fd': socket({ fd: -1 }),
    'has a fractional fd': socket({ fd: 3.5 }),
    'has an fd that is text': socket({ fd: '3' }),
    'has one fd twice': changed({ sockets: [SOCKET, { ...UNIX_SOCKET, fd: 3 }] }),
    'has a socket that is the pipe': socket({ fd: HANDOFF.pipe }),
    'has a name that is a number': socket({ name: 5 }),
    'has a name that is null': socket({ name: null }),
    'has no asked address': socket({ asked: undefined }),
    'has an asked address that is a number': socket({ asked: 80 }),
    'has no backlog': socket({ backlog: undefined }),
    'has a negative backlog': socket({ backlog: -1 }),
    'has no origin': socket({ origin: undefined }),
    'has an unknown origin': socket({ origin: 'elsewhere' }),
    'has a bound address that is text': socket({ bound: ':80' }),
    'has a bound address that is null': socket({ bound: null }),
    'has a bound address without kind': socket({ bound: { host: '::', port: 80 } }),
    'has a bound address of another kind': socket({ bound: { kind: 'fd', fd: 3 } }),
    'has a bound address without host': socket({ bound: { kind: 'tcp', port: 80 } }),
    'has a bound address without port': socket({ bound: { kind: 'tcp', host: '::' } }),
    'has a bound address with a negative port': socket({ bound: { kind: 'tcp', host: '::', port: -1 } }),
    'has a bound address without path': socket({ bound: { kind: 'unix' } }),
    'has a socket file without inode': socket({ file: { dev: '1' } }),
    'has a socket file of numbers': socket({ file: { dev: 1, ino: 1 } }),
    'has a socket file that is text': socket({ file: 'x' }),
  };
  for (const [how, value] of Object.entries(broken)) {
    const facts = { code: 'INHERITANCE_INVALID', subject: 'GRACE_HANDOFF', value } as const;
    const { message } = await fails(t, () => parseHandoff(value), facts, how);
    t.match(message, /^cannot read GRACE_HANDOFF=/);
  }
});

const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });
const socket = object({
  name: optional(fc.string()),
  asked: fc.string(),
  bound: optional(
    fc.oneof(
      object({ kind: fc.constant('tcp' as const), host: fc.string(), port: count }),
      object({ kind: fc.constant('unix' as const), path: fc.string() }),
    ),
  ),
  backlog: count,
  origin: fc.constantFrom('bound' as const, 'systemd' as const, 'server-starter' as const, 'fd' as const),
  file: optional(object({ dev: fc.string(), ino: fc.string() })),
});
const handoff = object({
  fds: fc.uniqueArray(count, { minLength: 2, maxLength: 8 }),
  sockets: fc.array(socket, { maxLength: 6 }),
  pid: count,
  generation: count,
  nonce: fc.string({ minLength: 1 }),
  more: object({ superdaemon: fc.constant(true), timeout: count }, { requiredKeys: [] }),
  follows: fc.boolean(),
}).map(({ fds: [pipe, follow, ...fds], sockets, pid, generation, nonce, more, follows }) => ({
  ...{ pid, generation, pipe: pipe!, nonce },
  sockets: sockets.slice(0, fds.length).map((each, index) => ({ ...each, fd: fds[index]! })),
  ...more,
  ...(follows && { follow: follow! }),
}));

t.test('every handoff is read as it was printed, and every other text is refused', async (t) => {
  holds(t, 'handoffs', handoff, (value) => assert.deepEqual(parseHandoff(formatHandoff(value)), value));
  holds(t, 'texts', textsLike(handoff.map(formatHandoff)), (text) => {
    const read = unlessRefused(() => parseHandoff(text), 'INHERITANCE_INVALID');
    if (read !== undefined) assert.deepEqual(parseHandoff(formatHandoff(read)), read);
  });
});
