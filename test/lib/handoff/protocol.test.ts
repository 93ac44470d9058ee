import t from 'tap';
import {
  type ChildMessage,
  type Handoff,
  type HandoffSocket,
  type ParentMessage,
  formatHandoff,
  formatMessage,
  parseChildMessage,
  parseHandoff,
  parseListenVariables,
  parseParentMessage,
  parseServerStarterPort,
} from '../../../lib/handoff/protocol.js';
import { fails } from '../../support/errors.js';

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

t.test('a handoff may have more than this version knows', async (t) => {
  const more = { ...(JSON.parse(formatHandoff(HANDOFF)) as object), later: true };
  t.strictSame(parseHandoff(JSON.stringify(more)), HANDOFF);
});

t.test('a broken handoff', async (t) => {
  const changed = (change: object): string => JSON.stringify({ ...(JSON.parse(formatHandoff(HANDOFF)) as object), ...change });
  const socket = (change: object): string => changed({ sockets: [{ ...SOCKET, ...change }] });
  const whole = formatHandoff(HANDOFF);
  const broken: Record<string, string> = {
    'is empty': '',
    'is no JSON': '{',
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
    'has a follow that is text': changed({ follow: '7' }),
    'has a follow that is the pipe': changed({ follow: HANDOFF.pipe }),
    'has no sockets': changed({ sockets: undefined }),
    'has sockets that are no array': changed({ sockets: {} }),
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
    'has no asked': socket({ asked: undefined }),
    'has an asked that is a number': socket({ asked: 80 }),
    'has no backlog': socket({ backlog: undefined }),
    'has a negative backlog': socket({ backlog: -1 }),
    'has no origin': socket({ origin: undefined }),
    'has an unknown origin': socket({ origin: 'elsewhere' }),
    'has a bound that is text': socket({ bound: ':80' }),
    'has a bound that is null': socket({ bound: null }),
    'has a bound of no kind': socket({ bound: { host: '::', port: 80 } }),
    'has a bound of another kind': socket({ bound: { kind: 'fd', fd: 3 } }),
    'has a bound without host': socket({ bound: { kind: 'tcp', port: 80 } }),
    'has a bound without port': socket({ bound: { kind: 'tcp', host: '::' } }),
    'has a bound with a negative port': socket({ bound: { kind: 'tcp', host: '::', port: -1 } }),
    'has a bound without path': socket({ bound: { kind: 'unix' } }),
    'has a file without inode': socket({ file: { dev: '1' } }),
    'has a file of numbers': socket({ file: { dev: 1, ino: 1 } }),
    'has a file that is text': socket({ file: 'x' }),
  };
  for (const [how, value] of Object.entries(broken)) {
    const facts = { code: 'INHERITANCE_INVALID', subject: 'GRACE_HANDOFF', value } as const;
    const { message } = await fails(t, () => parseHandoff(value), facts, how);
    t.match(message, /^cannot read GRACE_HANDOFF=/);
  }
});

t.test('messages go over as one line', async (t) => {
  const parents: ParentMessage[] = [{ type: 'hello', nonce: 'n', state: { a: 'two\nlines', b: [1] } }, { type: 'restart' }, { type: 'news', key: 'k', value: [1] }];
  const children: ChildMessage[] = [
    { type: 'stderr', text: 'two\nlines' },
    { type: 'exit', code: 7 },
    { type: 'ready', nonce: 'n', pid: 10, kept: [3, 4] },
    { type: 'ready', nonce: 'n', pid: 10, kept: [] },
  ];
  for (const message of [...parents, ...children]) {
    const line = formatMessage(message);
    t.equal(line.indexOf('\n'), line.length - 1, `${message.type} is one line`);
  }
  for (const message of parents) {
    t.strictSame(parseParentMessage(formatMessage(message)), message);
    t.equal(parseChildMessage(formatMessage(message)), undefined, `a child does not say ${message.type}`);
  }
  for (const message of children) {
    t.strictSame(parseChildMessage(formatMessage(message)), message);
    t.equal(parseParentMessage(formatMessage(message)), undefined, `a parent does not say ${message.type}`);
  }
});

t.test('a line that is no message is none', async (t) => {
  const lines = [
    '', 'x', '{', 'null', '[]', '1', '{}', '{"type":1}', '{"type":"later"}', '{"type":"hello"}', '{"type":"hello","nonce":1}',
    '{"type":"stderr"}', '{"type":"stderr","text":1}', '{"type":"exit"}', '{"type":"exit","code":-1}', '{"type":"exit","code":"1"}',
    '{"type":"ready"}', '{"type":"ready","nonce":"n"}', '{"type":"ready","nonce":"n","pid":1}',
    '{"type":"ready","nonce":"n","pid":1,"kept":3}', '{"type":"ready","nonce":"n","pid":1,"kept":["3"]}',
    '{"type":"ready","pid":1,"kept":[]}', '{"type":"ready","nonce":"n","pid":-1,"kept":[]}',
  ];
  for (const line of lines) {
    t.equal(parseParentMessage(line), undefined, `parent: ${line}`);
    t.equal(parseChildMessage(line), undefined, `child: ${line}`);
  }
  t.strictSame(parseParentMessage('{"type":"hello","nonce":"n","state":1}'), { type: 'hello', nonce: 'n', state: {} });
});

t.test('LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES', async (t) => {
  const SELF = 42;
  const none = undefined;
  const good: readonly (readonly [what: string, fds: string | undefined, pid: string | undefined, names: string | undefined, found: unknown[]])[] = [
    ['nothing', none, none, none, []],
    ['a pid alone', none, '42', none, []],
    ['names alone', none, none, 'a:b', []],
    ['no sockets', '0', '42', none, []],
    ['no sockets and no names', '0', '42', '', []],
    ['one socket', '1', '42', none, [none]],
    ['three sockets', '3', '42', none, [none, none, none]],
    ['a count with zeros before it', '01', '042', none, [none]],
    ['one name', '1', '42', 'web', ['web']],
    ['names', '2', '42', 'web:admin', ['web', 'admin']],
    ['one name twice', '2', '42', 'web:web', ['web', 'web']],
    ['no name', '1', '42', '', [none]],
    ['systemd calls a socket without name unknown', '3', '42', 'a:unknown:', ['a', none, none]],
    ['no pid: not passed to this process', '1', none, none, []],
    ['the pid of another process', '1', '41', none, []],
    ['the pid of another process, and a count that is none', 'abc', '41', none, []],
    ['the pid of another process, and names that do not fit', '1', '41', 'a:b', []],
    ['a pid that is no process', '1', '0', none, []],
  ];
  for (const [what, fds, pid, names, found] of good) t.strictSame(parseListenVariables({ fds, pid, names }, SELF), found, what);

  for (const fds of ['abc', '-1', '+1', '1e3', '', ' ', ' 1', '1 ', '1.0', '0x1', '1,2', '99999999999', '١']) {
    for (const pid of ['42', none]) {
      const facts = { code: 'INHERITANCE_INVALID', subject: 'LISTEN_FDS', value: fds } as const;
      await fails(t, () => parseListenVariables({ fds, pid, names: none }, SELF), facts, `LISTEN_FDS=${fds}, LISTEN_PID=${pid}`);
    }
  }
  for (const pid of ['abc', '-42', '4.2e1', '', '42 ', '99999999999']) {
    const facts = { code: 'INHERITANCE_INVALID', subject: 'LISTEN_PID', value: pid } as const;
    await fails(t, () => parseListenVariables({ fds: '1', pid, names: none }, SELF), facts, `LISTEN_PID=${pid}`);
  }
  for (const [fds, names] of [['1', 'a:b'], ['2', 'a'], ['2', ''], ['999999999', 'a'], ['3', 'a:b:c:']] as const) {
    const facts = { code: 'INHERITANCE_INVALID', subject: 'LISTEN_FDNAMES', value: names } as const;
    await fails(t, () => parseListenVariables({ fds, pid: '42', names }, SELF), facts, `${fds} sockets, names ${names}`);
  }
  t.equal(parseListenVariables({ fds: '999999999', pid: '42', names: none }, SELF).length, 1_048_576, 'never more than a process can have');
});

t.test('SERVER_STARTER_PORT', async (t) => {
  const good: readonly (readonly [string, readonly (readonly [address: string, fd: number])[]])[] = [
    ['', []],
    [';', []],
    ['80=3', [['80', 3]]],
    ['127.0.0.1:80=3', [['127.0.0.1:80', 3]]],
    ['[::1]:80=4', [['[::1]:80', 4]]],
    ['/run/a.sock=5', [['unix:/run/a.sock', 5]]],
    ['a=b.sock=5', [['unix:a=b.sock', 5]]],
    ['80=3;127.0.0.1:81=4;/run/a.sock=5;', [['80', 3], ['127.0.0.1:81', 4], ['unix:/run/a.sock', 5]]],
    ['80=999999999', [['80', 999_999_999]]],
  ];
  for (const [value, found] of good) {
    t.strictSame(parseServerStarterPort(value), found.map(([address, fd]) => ({ address, fd })), JSON.stringify(value));
  }
  for (const value of ['80', '=3', '80=', '80=x', '80=-1', '80=3.5', '80=1e1', '80= 3', '80=3 ', '80=9999999999', '80=3;81', '80=3,81=4x']) {
    const facts = { code: 'INHERITANCE_INVALID', subject: 'SERVER_STARTER_PORT', value } as const;
    await fails(t, () => parseServerStarterPort(value), facts, value);
  }
});
