import t from 'tap';
import { parseAddress } from '../../../lib/address/address.js';
import { type InheritedSocket, type Request, matchSockets, readBound } from '../../../lib/address/match.js';

/** A socket that was passed; `asked` is undefined if another program bound it. */
interface Passed {
  readonly name?: string;
  readonly asked?: string;
  readonly bound?: string;
}

/** Descriptors are 3, 4, … in the order given. */
function sockets(...passed: readonly Passed[]): InheritedSocket[] {
  return passed.map(({ name, asked, bound }, index) => ({
    fd: 3 + index,
    origin: asked === undefined ? 'systemd' : 'bound',
    name,
    asked,
    bound: bound === undefined ? undefined : readBound(bound),
    backlog: undefined,
    file: undefined,
  }));
}

/** `name=address`, or an address alone; `resolved` as DNS would have it. */
function request(text: string, resolved?: string): Request {
  const [, name, address = ''] = /^(?:(\w+)=)?(.*)$/s.exec(text) ?? [];
  return { address: parseAddress(address), name, resolved: parseAddress(resolved ?? address) };
}

interface Case {
  readonly what: string;
  readonly requests: readonly (string | Request)[];
  readonly passed: readonly Passed[];
  /** For each request its descriptor. */
  readonly found: readonly (number | undefined)[];
}

const none = undefined;
const cases: readonly Case[] = [
  { what: 'nothing was passed', requests: [':80'], passed: [], found: [none] },
  { what: 'nothing is asked for', requests: [], passed: [{ asked: ':80' }], found: [] },

  // by the address that was asked for, name and all
  { what: 'the address that was asked for', requests: [':80'], passed: [{ asked: ':80', bound: '[::]:80' }], found: [3] },
  { what: 'port 0 keeps its port', requests: [':0'], passed: [{ asked: ':0', bound: '[::]:40000' }], found: [3] },
  {
    what: 'port 0 twice: in the order it was bound',
    requests: [':0', ':0'],
    passed: [
      { asked: ':0', bound: '[::]:40000' },
      { asked: ':0', bound: '[::]:40001' },
    ],
    found: [3, 4],
  },
  {
    what: 'port 0 twice, told apart by name',
    requests: ['a=:0', 'b=:0'],
    passed: [
      { name: 'b', asked: ':0' },
      { name: 'a', asked: ':0' },
    ],
    found: [4, 3],
  },
  {
    what: 'a name that changed does not lose the socket',
    requests: ['new=:80'],
    passed: [{ name: 'old', asked: ':80', bound: '[::]:80' }],
    found: [3],
  },
  {
    what: 'the exact match of a later request wins over the near match of an earlier one',
    requests: [':0', 'a=:0'],
    passed: [
      { name: 'a', asked: ':0' },
      { name: 'b', asked: ':0' },
    ],
    found: [4, 3],
  },
  { what: 'a unix socket', requests: ['unix:/a'], passed: [{ asked: 'unix:/a', bound: 'unix:/a' }], found: [3] },
  { what: 'an abstract one', requests: ['unix:@a'], passed: [{ asked: 'unix:@a' }], found: [3] },
  {
    what: 'a systemd name that was asked for before',
    requests: ['systemd:web'],
    passed: [{ asked: 'systemd:web', bound: '[::]:80' }],
    found: [3],
  },

  // by descriptor
  { what: 'a descriptor', requests: ['fd:4'], passed: [{}, { bound: '[::]:80' }], found: [4] },
  { what: 'a descriptor that was asked for before has another number now', requests: ['fd:7'], passed: [{ asked: 'fd:7' }], found: [3] },
  { what: 'a descriptor that is another socket of this program', requests: ['fd:3'], passed: [{ asked: ':80' }], found: [none] },
  { what: 'a descriptor that was not passed', requests: ['fd:9'], passed: [{}], found: [none] },

  // by name
  { what: 'a systemd name', requests: ['systemd:web'], passed: [{ name: 'admin' }, { name: 'web' }], found: [4] },
  {
    what: 'two sockets of one systemd name',
    requests: ['systemd:web', 'systemd:web'],
    passed: [{ name: 'web' }, { name: 'web' }],
    found: [3, 4],
  },
  { what: 'a systemd name that was not passed', requests: ['systemd:web'], passed: [{ name: 'admin' }], found: [none] },
  { what: 'a systemd name never by order', requests: ['systemd:web'], passed: [{ bound: '[::]:80' }], found: [none] },
  {
    what: 'a systemd name with an address behind the | takes the socket and does not bind',
    requests: ['systemd:web|:80'],
    passed: [{ name: 'web', bound: '[::]:443' }],
    found: [3],
  },
  { what: 'the name of an entry', requests: ['web=:80'], passed: [{ name: 'admin' }, { name: 'web' }], found: [4] },
  {
    what: 'a name does not keep the address that an earlier version bound',
    requests: ['web=127.0.0.1:80'],
    passed: [{ name: 'web', asked: ':80', bound: '[::]:80' }],
    found: [none],
  },
  {
    what: 'by name before the bound address',
    requests: ['web=:80'],
    passed: [
      { name: 'admin', bound: '[::]:80' },
      { name: 'web', bound: '[::]:81' },
    ],
    found: [4],
  },
  { what: 'no name does not match no name', requests: ['127.0.0.1:80'], passed: [{ bound: '127.0.0.2:81' }], found: [none] },

  // by the address that it is bound to
  { what: 'every interface, IPv6', requests: [':80'], passed: [{ bound: '[::]:81' }, { bound: '[::]:80' }], found: [4] },
  { what: 'every interface, IPv4', requests: ['[::]:80'], passed: [{ bound: '0.0.0.0:81' }, { bound: '0.0.0.0:80' }], found: [4] },
  { what: 'one host', requests: ['127.0.0.1:80'], passed: [{ bound: '[::]:80' }, { bound: '127.0.0.1:80' }], found: [4] },
  { what: 'one host, written in another way', requests: ['[0::1]:80'], passed: [{ bound: '[::1]:80' }], found: [3] },
  {
    what: 'a host name, by what it resolves to',
    requests: [request('localhost:80', '127.0.0.1:80')],
    passed: [{ bound: '[::1]:80' }, { bound: '127.0.0.1:80' }],
    found: [4],
  },
  {
    what: 'another text for the address that it is bound to',
    requests: ['0.0.0.0:80'],
    passed: [{ asked: ':80', bound: '[::]:80' }],
    found: [3],
  },
  { what: 'a unix path', requests: ['unix:/b'], passed: [{ bound: 'unix:/a' }, { bound: 'unix:/b' }], found: [4] },
  {
    what: 'the address of a later request wins over the order of an earlier one',
    requests: [':1', ':2'],
    passed: [{ bound: '[::]:2' }, { bound: '[::]:3' }],
    found: [4, 3],
  },

  // by order
  { what: 'by order', requests: [':1', ':2'], passed: [{ bound: '[::]:8' }, { bound: '[::]:9' }], found: [3, 4] },
  { what: 'by order with fewer sockets', requests: [':1', ':2'], passed: [{ bound: '[::]:8' }], found: [3, none] },
  { what: 'by order with more sockets', requests: [':1'], passed: [{ bound: '[::]:8' }, { bound: '[::]:9' }], found: [3] },
  { what: 'by order from every interface to one', requests: [':1'], passed: [{ bound: '127.0.0.1:8' }], found: [3] },
  { what: 'by order on the same host', requests: ['127.0.0.1:1'], passed: [{ bound: '127.0.0.1:8' }], found: [3] },
  { what: 'by order never wider', requests: ['127.0.0.1:1'], passed: [{ bound: '[::]:8' }], found: [none] },
  { what: 'by order never wider, IPv4', requests: ['127.0.0.1:1'], passed: [{ bound: '0.0.0.0:8' }], found: [none] },
  { what: 'by order never to another host', requests: ['127.0.0.1:1'], passed: [{ bound: '127.0.0.2:8' }], found: [none] },
  {
    what: 'by order never wider, but the next socket may match',
    requests: ['127.0.0.1:1'],
    passed: [{ bound: '[::]:8' }, { bound: '127.0.0.1:8' }],
    found: [4],
  },
  { what: 'by order unix for unix', requests: ['unix:/a'], passed: [{ bound: '[::]:8' }, { bound: 'unix:/b' }], found: [4] },
  { what: 'by order never TCP for unix', requests: ['unix:/a'], passed: [{ bound: '[::]:8' }], found: [none] },
  { what: 'by order never unix for TCP', requests: [':1'], passed: [{ bound: 'unix:/b' }], found: [none] },
  {
    what: 'by order never a socket that this program bound for another address',
    requests: [':1'],
    passed: [{ asked: ':8', bound: '[::]:8' }],
    found: [none],
  },
  { what: 'by order never a socket of unknown address', requests: [':1'], passed: [{}], found: [none] },
];

for (const { what, requests, passed, found } of cases) {
  t.test(what, async (t) => {
    const matches = matchSockets(
      requests.map((text) => (typeof text === 'string' ? request(text) : text)),
      sockets(...passed),
    );
    t.strictSame(
      matches.map((match) => match?.fd),
      found,
    );
  });
}

t.test('readBound', async (t) => {
  t.strictSame(readBound('127.0.0.1:80'), { kind: 'tcp', host: '127.0.0.1', port: 80 });
  t.strictSame(readBound('unix:/a'), { kind: 'unix', path: '/a' });
  for (const text of ['', 'x', 'fd:3', 'systemd:web', '::1:80']) t.equal(readBound(text), undefined, text);
});
