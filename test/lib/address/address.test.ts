import t from 'tap';
import {
  type Address,
  type TcpAddress,
  formatAddress,
  isWildcard,
  parseAddress,
  sameAddress,
  sameHost,
} from '../../../lib/address/address.js';
import { fails } from '../../support/errors.js';
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { holds, unlessRefused } from '../../support/properties/holds.js';
import { anything, object, textsLike } from '../../support/properties/values.js';

const tcp = (host: string | undefined, port: number): TcpAddress => ({ kind: 'tcp', host, port });
const unix = (path: string) => ({ kind: 'unix', path }) as const;

const LONGEST_NAME = 'n'.repeat(255);
const LONGEST_LABEL = 'h'.repeat(63);

t.test('parseAddress and formatAddress', async (t) => {
  const forms: readonly (readonly [text: string | number, address: Address, printed: string])[] = [
    [':8080', tcp(undefined, 8080), ':8080'],
    ['8080', tcp(undefined, 8080), ':8080'],
    [8080, tcp(undefined, 8080), ':8080'],
    [0, tcp(undefined, 0), ':0'],
    [':65535', tcp(undefined, 65_535), ':65535'],
    ['0080', tcp(undefined, 80), ':80'],
    ['localhost:80', tcp('localhost', 80), 'localhost:80'],
    ['LocalHost:80', tcp('LocalHost', 80), 'LocalHost:80'],
    ['a_b.example.org.:80', tcp('a_b.example.org.', 80), 'a_b.example.org.:80'],
    [`${LONGEST_LABEL}.org:1`, tcp(`${LONGEST_LABEL}.org`, 1), `${LONGEST_LABEL}.org:1`],
    ['0.0.0.0:80', tcp('0.0.0.0', 80), '0.0.0.0:80'],
    ['127.0.0.1:0', tcp('127.0.0.1', 0), '127.0.0.1:0'],
    ['[::]:80', tcp('::', 80), '[::]:80'],
    ['[::1]:80', tcp('::1', 80), '[::1]:80'],
    ['[fe80::1%eth0]:80', tcp('fe80::1%eth0', 80), '[fe80::1%eth0]:80'],
    ['[::ffff:127.0.0.1]:80', tcp('::ffff:127.0.0.1', 80), '[::ffff:127.0.0.1]:80'],
    ['unix:/run/app.sock', unix('/run/app.sock'), 'unix:/run/app.sock'],
    ['unix:app.sock', unix('app.sock'), 'unix:app.sock'],
    ['unix:/with:colon|and bar', unix('/with:colon|and bar'), 'unix:/with:colon|and bar'],
    ['unix:@abstract', unix('\0abstract'), 'unix:@abstract'],
    ['unix:./@file', unix('./@file'), 'unix:./@file'],
    ['systemd:web', { kind: 'systemd', name: 'web', otherwise: undefined }, 'systemd:web'],
    ['systemd:my web', { kind: 'systemd', name: 'my web', otherwise: undefined }, 'systemd:my web'],
    [`systemd:${LONGEST_NAME}`, { kind: 'systemd', name: LONGEST_NAME, otherwise: undefined }, `systemd:${LONGEST_NAME}`],
    ['systemd:web|8080', { kind: 'systemd', name: 'web', otherwise: tcp(undefined, 8080) }, 'systemd:web|:8080'],
    ['systemd:web|[::1]:1', { kind: 'systemd', name: 'web', otherwise: tcp('::1', 1) }, 'systemd:web|[::1]:1'],
    ['systemd:web|unix:/a|b', { kind: 'systemd', name: 'web', otherwise: unix('/a|b') }, 'systemd:web|unix:/a|b'],
    ['fd:0', { kind: 'fd', fd: 0 }, 'fd:0'],
    ['fd:3', { kind: 'fd', fd: 3 }, 'fd:3'],
    ['fd:2147483647', { kind: 'fd', fd: 2_147_483_647 }, 'fd:2147483647'],
  ];
  for (const [text, address, printed] of forms) {
    t.strictSame(parseAddress(text), address, `reads ${text}`);
    t.equal(formatAddress(address), printed, `prints ${printed}`);
    t.strictSame(parseAddress(printed), address, `reads ${printed} as it printed it`);
  }
});

t.test('invalid addresses', async (t) => {
  const bad = [
    '',
    ' ',
    ':',
    '::',
    'abc',
    ':abc',
    'host',
    'host:',
    'host: ',
    ':-1',
    ':+1',
    ':65536',
    ':99999999999',
    ':1e3',
    ':0x50',
    ':8080 ',
    ' :8080',
    ':8080\n',
    ':80 80',
    ':1.5',
    '-1',
    '1.5',
    '8080/',
    'localhost:80:90',
    'http://localhost:80',
    '::1:80',
    '::1',
    '[::1]',
    '[::1',
    '[::1]80',
    '::1]:80',
    '[]:80',
    '[127.0.0.1]:80',
    '[localhost]:80',
    '[::g]:80',
    '[::1%]:80',
    '[[::1]]:80',
    'ho st:80',
    '-host:80',
    'host-:80',
    'a..b:80',
    '.a:80',
    'höst:80',
    '*:80',
    'a/b:80',
    `${LONGEST_LABEL}h:80`,
    '1.2.3:80',
    '256.1.1.1:80',
    '1.2.3.4.5:80',
    '127.1:80',
    'UNIX:/x',
    'unix:',
    'unix:@',
    'unix:/a\0b',
    'unix:@\0',
    'systemd:',
    'systemd:a:b',
    'systemd:wéb',
    'systemd:a\nb',
    `systemd:${LONGEST_NAME}n`,
    'systemd:|:80',
    'systemd:web|',
    'systemd:web|fd:3',
    'systemd:web|systemd:x',
    'systemd:web|abc',
    'fd:',
    'fd:-1',
    'fd:3x',
    'fd:1e1',
    'fd: 3',
    'fd:3.0',
    'fd:0x3',
    'fd:2147483648',
    'fd:99999999999',
    -1,
    1.5,
    65_536,
    NaN,
    Infinity,
    1e21,
  ];
  for (const text of bad) {
    const facts = { code: 'ADDRESS_INVALID', subject: 'address', value: String(text) } as const;
    const error = await fails(t, () => parseAddress(text), facts, `refuses ${JSON.stringify(text)}`);
    t.match(error.message, /expected :8080, 8080, host:8080/, 'the message says what an address looks like');
    t.notMatch(error.message, '\n', 'on one line');
  }
  await fails(t, () => parseAddress(undefined as never), { code: 'ADDRESS_INVALID', subject: 'address', value: undefined }, 'undefined');
});

t.test('the error for an IPv6 host without brackets shows the right form', async (t) => {
  t.throws(() => parseAddress('::1:80'), { message: /in brackets: \[::1\]/ });
});

t.test('sameAddress', async (t) => {
  const alike = [
    [':80', '0.0.0.0:80'],
    [':80', '[::]:80'],
    ['0.0.0.0:80', '[::]:80'],
    ['0.0.0.0:80', '[0:0::0]:80'],
    ['LOCALHOST:80', 'localhost:80'],
    ['127.0.0.1:80', '[::ffff:127.0.0.1]:80'],
    ['127.0.0.1:80', '[::FFFF:7f00:1]:80'],
    ['[::1]:80', '[0:0:0:0:0:0:0:1]:80'],
    ['[FE80::1%eth0]:80', '[fe80::1%eth0]:80'],
    ['unix:/a', 'unix:/a'],
    ['unix:@a', 'unix:@a'],
    ['fd:3', 'fd:3'],
    ['systemd:a', 'systemd:a'],
  ] as const;
  const different = [
    [':80', ':81'],
    [':80', '127.0.0.1:80'],
    ['[::]:80', '[::1]:80'],
    ['127.0.0.1:80', '127.0.0.2:80'],
    ['[fe80::1%eth0]:80', '[fe80::1%eth1]:80'],
    ['unix:/a', 'unix:/A'],
    ['unix:/a', 'unix:@/a'],
    ['fd:3', ':3'],
    ['systemd:a', 'systemd:b'],
    ['systemd:a', 'systemd:a|:80'],
    ['unix:80', ':80'],
  ] as const;
  for (const [a, b] of alike) {
    t.ok(sameAddress(parseAddress(a), parseAddress(b)), `${a} and ${b} are the same`);
    t.ok(sameAddress(parseAddress(b), parseAddress(a)), `${b} and ${a} are the same`);
  }
  for (const [a, b] of different) {
    t.notOk(sameAddress(parseAddress(a), parseAddress(b)), `${a} and ${b} differ`);
    t.notOk(sameAddress(parseAddress(b), parseAddress(a)), `${b} and ${a} differ`);
  }
});

t.test('hosts', async (t) => {
  t.ok(sameHost(tcp('::1', 1), tcp('0::1', 2)), 'ports do not matter');
  t.notOk(sameHost(tcp('::1', 1), tcp('127.0.0.1', 1)));
  for (const host of [undefined, '0.0.0.0', '::', '0::0']) t.ok(isWildcard(tcp(host, 80)), `${host} is every interface`);
  for (const host of ['127.0.0.1', '::1', 'localhost']) t.notOk(isWildcard(tcp(host, 80)), `${host} is one interface`);
});

t.test('an invalid address: the message says what to write', async (t) => {
  const table: readonly (readonly [text: string, message: string])[] = [
    ['[::1', 'the bracket [ has no ] after the host, as in [::1]:8080'],
    ['[::1:8080', 'the bracket [ has no ] after the host, as in [::1]:8080'],
    ['[::1]', 'after the bracket ] there must be a colon and a port, as in [::1]:8080'],
    ['[::1]80', 'after the bracket ] there must be a colon and a port, as in [::1]:80'],
    ['::1', 'write the IPv6 host in brackets, and a port: [::1]:8080'],
    ['2001:db8::1:99999', 'is not a number from 0 to 65535'],
    ['example.org', 'the port is missing, as in example.org:8080'],
    ['localhost', 'the port is missing, as in localhost:8080'],
    ['/run/app.sock', 'write unix:/run/app.sock for the path of a unix socket'],
    ['http://localhost:80', 'leave out http://'],
  ];
  for (const [text, message] of table) t.throws(() => parseAddress(text), { code: 'ADDRESS_INVALID', message }, text);
});

const port = fc.nat({ max: 65_535 });
const host = fc.oneof(fc.constant(undefined), fc.domain(), fc.ipV4(), fc.ipV6());
const path = fc.string({ minLength: 1 }).filter((text) => !text.startsWith('@') && !text.includes('\0'));
const bindable = fc.oneof(
  object({ kind: fc.constant('tcp' as const), host, port }),
  object({
    kind: fc.constant('unix' as const),
    path: fc.oneof(
      path,
      path.map((text) => `\0${text}`),
    ),
  }),
);
const name = fc.string({ minLength: 1, maxLength: 255 }).filter((text) => !/[:|]/.test(text));
const address: fc.Arbitrary<Address> = fc.oneof(
  bindable,
  object({ kind: fc.constant('systemd' as const), name, otherwise: fc.option(bindable, { nil: undefined }) }),
  object({ kind: fc.constant('fd' as const), fd: fc.nat() }),
);

t.test('every address is read as it was printed, and every other text is refused', async (t) => {
  holds(t, 'addresses', address, (value) => assert.deepEqual(parseAddress(formatAddress(value)), value));
  holds(t, 'texts', textsLike(address.map(formatAddress)), (text) => {
    const read = unlessRefused(() => parseAddress(text), 'ADDRESS_INVALID');
    if (read !== undefined) assert.deepEqual(parseAddress(formatAddress(read)), read);
  });
  holds(t, 'anything', anything, (value) => void unlessRefused(() => parseAddress(value as string), 'ADDRESS_INVALID'));
});
