import t from 'tap';
import { parseAddress } from '../../../lib/address/address.js';
import { type InheritedSocket, type Request, readBound } from '../../../lib/address/match.js';
import { GraceError } from '../../../lib/errors.js';
import { explainInUse, overlap, refuseOverlaps } from '../../../lib/socket/in-use.js';
import { fails } from '../../support/errors.js';

const request = (text: string): Request => ({ address: parseAddress(text), name: undefined, resolved: parseAddress(text) });
const socket = (bound: string, facts: Partial<InheritedSocket> = {}): InheritedSocket => ({
  ...{ fd: 3, origin: 'systemd', name: undefined, asked: undefined, backlog: undefined, file: undefined },
  bound: readBound(bound),
  ...facts,
});

t.test('addresses that cannot both be bound', async (t) => {
  const table: readonly (readonly [a: string, b: string, result: boolean])[] = [
    ['8080', '127.0.0.1:8080', true],
    [':8080', '[::1]:8080', true],
    ['[::]:8080', '127.0.0.1:8080', true],
    ['[::]:8080', '0.0.0.0:8080', true],
    ['0.0.0.0:8080', '127.0.0.1:8080', true],
    ['127.0.0.1:8080', '127.0.0.1:8080', true],
    ['0.0.0.0:8080', '[::1]:8080', false],
    ['127.0.0.1:8080', '127.0.0.2:8080', false],
    [':8080', '127.0.0.1:8081', false],
    [':0', '127.0.0.1:0', false],
    ['unix:/a', 'unix:/a', false],
    ['unix:/a', ':8080', false],
  ];
  for (const [a, b, result] of table) {
    t.equal(overlap(parseAddress(a), parseAddress(b)), result, `${a} and ${b}`);
    t.equal(overlap(parseAddress(b), parseAddress(a)), result, `${b} and ${a}`);
  }
});

t.test('the error names both addresses of one call', async (t) => {
  const facts = { code: 'ADDRESS_IN_USE', subject: 'address', value: '127.0.0.1:8080' } as const;
  const error = await fails(t, () => refuseOverlaps(['8080', ':9', '127.0.0.1:8080'].map(request)), facts, 'refused');
  t.match(error.message, /^cannot listen on both :8080 and 127\.0\.0\.1:8080: .* use another port$/);
  t.doesNotThrow(() => refuseOverlaps([':8080', ':8081', 'unix:/a', ':0', ':0'].map(request)));
});

t.test('an address that a passed socket uses: the error says how to use the socket', async (t) => {
  const cause = new Error('bind EADDRINUSE');
  const inUse = new GraceError('ADDRESS_IN_USE', 'm', { subject: 'address', value: '127.0.0.1:80', cause });
  const explain = (...sockets: InheritedSocket[]): GraceError => explainInUse(inUse, request('127.0.0.1:80'), sockets) as GraceError;
  const named = explain(socket('[::]:81'), socket('[::]:80', { name: 'web' }));
  t.match(named, { code: 'ADDRESS_IN_USE', subject: 'address', value: '127.0.0.1:80', cause });
  t.match(named.message, /systemd passed a socket for \[::\]:80, .* write listen: 'systemd:web'$/);
  t.match(explain(socket('[::]:80')).message, /write listen: '\[::\]:80'$/);
  t.match(
    explain(socket('[::]:80', { origin: 'server-starter' })).message,
    /the program that started this one passed a socket for \[::\]:80/,
  );
  t.match(explain(socket('[::]:80', { origin: 'bound', asked: ':80' })).message, /the previous process serves :80, .* start it again$/);
  t.equal(explain(socket('[::]:81')), inUse, 'another socket explains nothing');
  t.equal(explainInUse(cause, request('127.0.0.1:80'), [socket('[::]:80')]), cause, 'another error is kept');
});
