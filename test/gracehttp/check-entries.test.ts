import { readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import t from 'tap';
import { serve } from '../../gracehttp/serve.js';
import { type ServerEntry } from '../../gracehttp/server-entry.js';
import { portOf } from '../support/address.js';
import { makeApp } from '../support/app.js';
import { type ExpectedError, fails } from '../support/errors.js';
import { scratch } from '../support/scratch.js';
import { freePort, listening, openSockets, openedSince } from '../support/sockets.js';

const answer = (port: number): Promise<string> => fetch(`http://127.0.0.1:${port}/`).then((response) => response.text());
const nextTurn = (): Promise<void> => new Promise((done) => setImmediate(done));

t.test('invalid entries: everything bound before is released, and a new serve() works', async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, 'file'), 'precious');
  const busy = await listening(t, http.createServer(), { port: 0, host: '127.0.0.1' });
  const taken = `127.0.0.1:${portOf(busy)}`;
  const good = http.createServer();

  const entry = (value: unknown): ServerEntry => value as ServerEntry;
  const server = (subject: string, value: unknown): ExpectedError => ({ code: 'SERVER_INVALID', subject, value });
  const address = (code: ExpectedError['code'], value: string): ExpectedError => ({ code, subject: 'address', value });
  const plain = {};
  const bad: readonly (readonly [what: string, entry: ServerEntry, expected: ExpectedError])[] = [
    ['nothing', entry(undefined), server('servers[2]', undefined)],
    ['null', entry(null), server('servers[2]', undefined)],
    ['no server', entry({ listen: ':0' }), server('servers[2]', undefined)],
    ['an object that is not a server', entry({ server: plain, listen: ':0' }), server('servers[2]', plain)],
    ['a string instead of a server', entry({ server: 'handler', listen: ':0' }), server('servers[2]', 'handler')],
    ['no address', entry({ server: http.createServer() }), server('servers[2].listen', undefined)],
    ['an address that is an object', entry({ server: http.createServer(), listen: plain }), server('servers[2].listen', plain)],
    ['a name that is a number', entry({ server: http.createServer(), listen: ':0', name: 5 }), server('servers[2].name', 5)],
    ['a server that is already listening', { server: busy, listen: '127.0.0.1:0' }, server('servers[2]', '127.0.0.1:0')],
    ['a server that was passed twice', { server: good, listen: '127.0.0.1:0' }, server('servers[2]', '127.0.0.1:0')],
    ['an address that cannot be parsed', { server: http.createServer(), listen: 'nonsense' }, address('ADDRESS_INVALID', 'nonsense')],
    ['an empty address', { server: http.createServer(), listen: '' }, address('ADDRESS_INVALID', '')],
    ['an address that is in use', { server: http.createServer(), listen: taken }, address('ADDRESS_IN_USE', taken)],
    ['a socket path that is a file', { server: http.createServer(), listen: `unix:${folder}/file` }, address('NOT_A_SOCKET', `unix:${folder}/file`)],
    ['a socket path in a folder without files', { server: http.createServer(), listen: 'unix:/proc/x.sock' }, address('ADDRESS_FORBIDDEN', 'unix:/proc/x.sock')],
    ['an invalid backlog', { server: http.createServer(), listen: ':0', backlog: 0 }, { code: 'OPTION_INVALID', subject: 'backlog', value: 0 }],
    ['an invalid mode', { server: http.createServer(), listen: ':0', mode: 1.5 }, { code: 'OPTION_INVALID', subject: 'mode', value: 1.5 }],
    ['a descriptor that is not open', { server: http.createServer(), listen: 'fd:999999' }, { code: 'INHERITANCE_INVALID', subject: 'fd', value: 999_999 }],
    ['a socket that was not passed', { server: http.createServer(), listen: 'systemd:x' }, address('SOCKET_NOT_PASSED', 'systemd:x')],
  ];
  for (const [what, last, expected] of bad) {
    await t.test(what, async (t) => {
      const port = await freePort();
      const before = openSockets();
      const first = { server: good, listen: `127.0.0.1:${port}` };
      const second = { server: http.createServer(), listen: `unix:${folder}/app.sock` };
      const app = makeApp(t, { pidFile: join(folder, 'app.pid') });
      await fails(t, () => app.serve(first, second, last), expected, 'refused');
      t.equal(app.state, 'closed');
      t.match(await app.wait(), { code: 1 });
      await nextTurn();
      t.strictSame(openedSince(before), [], 'no socket is left open');
      t.strictSame(readdirSync(folder), ['file'], 'no file is left behind');
      t.notOk(good.listening);

      const again = makeApp(t);
      await again.serve({ server: http.createServer((_, response) => response.end('again')), listen: `127.0.0.1:${port}` });
      t.equal(await answer(port), 'again');
      await again.stop();
    });
  }
});

t.test('serve() without a server is refused', async (t) => {
  const nothing = { code: 'SERVER_INVALID', subject: 'servers', value: 0 } as const;
  await fails(t, () => serve(), nothing, 'serve()');
  await fails(t, () => makeApp(t).serve(), nothing, 'app.serve()');
});
