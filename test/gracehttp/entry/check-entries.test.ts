import { readdirSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { join } from 'node:path';
import { inspect } from 'node:util';
import t from 'tap';
import { GraceError } from '../../../lib/errors.js';
import { serve } from '../../../gracehttp/serve.js';
import { type ServerEntry } from '../../../gracehttp/entry/server-entry.js';
import { portOf } from '../../support/address.js';
import { makeApp } from '../../support/app.js';
import { type ExpectedError, failureOf, fails } from '../../support/errors.js';
import { get } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';
import { freePort, listening, openSockets, openedSince } from '../../support/sockets.js';

const answer = async (port: number): Promise<string> => (await get({ port })).body;
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
    [
      'a socket path that is a file',
      { server: http.createServer(), listen: `unix:${folder}/file` },
      address('NOT_A_SOCKET', `unix:${folder}/file`),
    ],
    [
      'a socket path in a folder without files',
      { server: http.createServer(), listen: 'unix:/proc/x.sock' },
      address('ADDRESS_FORBIDDEN', 'unix:/proc/x.sock'),
    ],
    [
      'an invalid backlog',
      { server: http.createServer(), listen: ':0', backlog: 0 },
      { code: 'OPTION_INVALID', subject: 'backlog', value: 0 },
    ],
    ['an invalid mode', { server: http.createServer(), listen: ':0', mode: 1.5 }, { code: 'OPTION_INVALID', subject: 'mode', value: 1.5 }],
    [
      'a descriptor that is not open',
      { server: http.createServer(), listen: 'fd:999999' },
      { code: 'INHERITANCE_INVALID', subject: 'fd', value: 999_999 },
    ],
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

/** As Express has it: a function with a lot in it. */
function expressApp(): void {
  // A test needs no answer of it.
}
Object.assign(expressApp, { listen: () => undefined, settings: Array.from({ length: 90 }, (_, index) => ({ index })) });
class Application {
  listen(): void {
    // Koa, Fastify and NestJS have it too.
  }
}

t.test('the message alone says what to write instead', async (t) => {
  const busy = await listening(t, http.createServer(), { port: 0, host: '127.0.0.1' });
  const listen = '127.0.0.1:0';
  const server = http.createServer();
  const koa = Object.assign(new Application(), { callback: () => expressApp });
  const fastify = Object.assign(new Application(), { server: http.createServer() });
  const nest = Object.assign(new Application(), { getHttpServer: () => server });
  const hono = { fetch: () => undefined };
  const table: readonly (readonly [what: string, servers: readonly unknown[], message: string | RegExp])[] = [
    [
      'an Express app as server',
      [{ server: expressApp, listen }],
      'servers[0].server is the function expressApp, expected an http, https or net server: use http.createServer(app), or { handler: app, listen }',
    ],
    ['a function as server', [{ server: () => undefined, listen }], 'use http.createServer(app), or { handler: app, listen }'],
    [
      'an app of Koa as server',
      [{ server: koa, listen }],
      'is an object of class Application, expected an http, https or net server: use http.createServer(app.callback())',
    ],
    ['an app of Fastify as server', [{ server: fastify, listen }], ': use app.server'],
    ['an app of NestJS as server', [{ server: nest, listen }], ': use app.getHttpServer()'],
    ['an app of Hono as server', [{ server: hono, listen }], ': use createAdaptorServer(app)'],
    [
      'a bare function',
      [expressApp],
      'servers[0] is the function expressApp, expected a server with an address: use { handler: app, listen }, or createServer(address, app)',
    ],
    [
      'a bare app of Fastify',
      [fastify],
      'servers[0] is an object of class Application, expected { server, listen }: for server, use app.server',
    ],
    ['a bare app of Koa', [koa], 'for server, use http.createServer(app.callback())'],
    ['a bare app of Hono', [hono], 'for server, use createAdaptorServer(app)'],
    ['a bare server', [http.createServer()], 'expected { server, listen } or a server made by createServer(address, handler)'],
    ['a handler that is an app of Fastify', [{ handler: fastify, listen }], 'for a server in place of it, use app.server'],
    ['a handler that is text', [{ handler: 'app', listen }], 'servers[0].handler is "app", expected a function (request, response)'],
    ['a server and a handler', [{ server, handler: expressApp, listen }], 'servers[0] has a server and a handler, expected one of them'],
    [
      'a server that listens already',
      [{ server: busy, listen }],
      /is already listening on port \d+: remove your \.listen\(\), serve\(\) does it$/,
    ],
    [
      'options behind the servers',
      [{ server, listen }, { drainTimeout: 5 }],
      'servers[1] has no option drainTimeout: it belongs elsewhere, write new App({ drainTimeout: … }).serve(…)',
    ],
    ['an option of the process in an entry', [{ server, listen, idleTimeout: 5 }], 'write new App({ idleTimeout: … }).serve(…)'],
    [
      'a misspelt option of the process',
      [{ server, listen, drainTimout: 5 }],
      'did you mean drainTimeout? That belongs elsewhere, write new App({ drainTimeout: … }).serve(…)',
    ],
    [
      'a misspelt option of an entry',
      [{ server, listen, maxConnection: 5 }],
      'servers[0] has no option maxConnection: did you mean maxConnections?',
    ],
    [
      'an option of createServer() in an entry',
      [{ handler: expressApp, listen, readTimeout: 5 }],
      'write createServer(address, handler, { readTimeout: … })',
    ],
    ['an option that nothing has', [{ server, listen, zzz: 5 }], /has no option zzz: expected one of server, handler, listen, name, /],
    ['the option port', [{ server, port: 8080 }], 'servers[0] has no option port: did you mean listen?'],
    ['the option limit', [{ server, listen, limit: 5 }], 'servers[0] has no option limit: did you mean maxConnections?'],
    [
      'a list of entries',
      [[{ server, listen }]],
      'servers[0] is an array, expected { server, listen }: write serve(first, second), or serve(...entries)',
    ],
    ['a port alone', [8080], 'servers[0] is 8080, expected { server, listen }: write serve({ handler, listen: 8080 })'],
    [
      'an address before the app',
      [':8080', expressApp],
      'servers[0] is ":8080", expected { server, listen }: write serve({ handler, listen: ":8080" })',
    ],
    [
      'one address twice',
      [
        { server, listen: 8080 },
        { server: http.createServer(), listen: ':8080' },
      ],
      'cannot listen on :8080 twice: leave one out, or use another port',
    ],
    ['[::1', [{ server, listen: '[::1' }], 'the bracket [ has no ] after the host, as in [::1]:8080'],
    [
      '8080 beside 127.0.0.1:8080',
      [
        { server, listen: 8080 },
        { server: http.createServer(), listen: '127.0.0.1:8080' },
      ],
      'cannot listen on both :8080 and 127.0.0.1:8080: one of them includes the other',
    ],
  ];
  for (const [what, servers, message] of table) {
    const error = await failureOf(() => makeApp(t).serve(...(servers as ServerEntry[])));
    if (!(error instanceof GraceError)) throw new Error(`${what}: expected a GraceError`, { cause: error });
    t.match(error.message, message, what);
    t.notMatch(error.message, '\n', `${what}: one line`);
    t.ok(error.message.length < 400, `${what}: ${error.message.length} characters`);
    t.ok(inspect(error).split('\n').length < 40, `${what}: printed as a whole it is no dump`);
  }
});

t.test('{ handler, listen } is served by an http server', async (t) => {
  const handler = (_: unknown, response: http.ServerResponse): unknown => response.end('handled');
  const app = await makeApp(t).serve({ handler, listen: '127.0.0.1:0', name: 'public' });
  t.equal(await answer(portOf(app)), 'handled');
  t.equal(app.server('public').server, app.servers[0]!.server);
});

t.test('serve() without a server is refused', async (t) => {
  const nothing = { code: 'SERVER_INVALID', subject: 'servers', value: 0 } as const;
  await fails(t, () => serve(), nothing, 'serve()');
  await fails(t, () => makeApp(t).serve(), nothing, 'app.serve()');
});
