import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { freePort, listening } from '../../support/sockets.js';

/** What a program sees of its listen() calls, by Node.js alone or with ts-grace/auto. */
async function seen(t: Test, calls: readonly object[], auto: boolean): Promise<unknown> {
  const program = start(t, fixture('auto/listens'), {
    nodeArgs: auto ? ['--import', 'ts-grace/auto'] : [],
    args: [JSON.stringify(calls)],
  });
  const { results } = await program.announced('results');
  if (auto) t.equal((await program.announced('results')).handlers, 1, 'it is handed over');
  process.kill(program.pid, 'SIGKILL');
  await program.ended();
  return results;
}

t.test('listen() means what it means without ts-grace/auto', async (t) => {
  const folder = scratch(t);
  const taken = await listening(t, net.createServer(), { port: 0, host: '127.0.0.1' });
  const { port: takenPort } = taken.address() as net.AddressInfo;
  writeFileSync(join(folder, 'file'), '');
  const port = await freePort();
  const forms: Readonly<Record<string, object>> = {
    'a port': { args: [port] },
    'a port as text': { args: [String(port)] },
    'a port and a host': { args: [port, '127.0.0.1'] },
    'a port, a host and a backlog': { args: [port, '127.0.0.1', 9] },
    'a host name': { args: [port, 'localhost'] },
    IPv6: { args: [port, '::1'] },
    options: { args: [{ port, host: '127.0.0.1', backlog: 7, exclusive: true }] },
    ipv6Only: { args: [{ port, host: '::', ipv6Only: true }] },
    'a path': { args: [join(folder, 'a.sock')] },
    'a path in options, for all users': { args: [{ path: join(folder, 'b.sock'), readableAll: true, writableAll: true }] },
    'a path that is taken': { args: [join(folder, 'file')] },
    'a path in no folder': { args: [join(folder, 'no/c.sock')] },
    'a port that is taken': { args: [takenPort, '127.0.0.1'] },
    'a taken port, and then another': { args: [takenPort, '127.0.0.1'], again: [port, '127.0.0.1'] },
    'an address of another machine': { args: [port, '192.0.2.1'] },
    'a port that does not exist': { args: [70_000] },
    'nothing that can be listened on': { args: [{}] },
    twice: { args: [port, '127.0.0.1'], twice: true },
    'a signal': { args: [{ port, host: '127.0.0.1' }], aborts: true },
    'closed and opened again': { args: [port, '127.0.0.1'], reopens: true },
    https: { args: [port, '127.0.0.1'], protocol: 'https' },
    tls: { args: [port, '127.0.0.1'], protocol: 'tls' },
    net: { args: [port, '127.0.0.1'], protocol: 'net' },
    http2: { args: [port, '127.0.0.1'], protocol: 'http2' },
  };
  // One program does all, one call after the other, and begins with one that works.
  const calls = Object.entries(forms).map(([name, call]) => ({ name, ...call }));
  const [auto, plain] = [await seen(t, calls, true), await seen(t, calls, false)];
  t.strictSame(auto, plain);
});

t.test('a SIGTERM that comes in the moment in which the first client can connect is a stop', async (t) => {
  const sendSignal = `
    const { Server } = process.getBuiltinModule('node:net');
    const { spawnSync } = process.getBuiltinModule('node:child_process');
    const native = Server.prototype._listen2;
    Server.prototype._listen2 = function listen2(...args) {
      native.apply(this, args);
      spawnSync('kill', ['-TERM', String(process.pid)]);
    };
  `;
  const program = start(t, fixture('auto/program'), {
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(sendSignal)}`, '--import', 'ts-grace/auto'],
    args: [JSON.stringify({ http: [{ port: await freePort(), host: '127.0.0.1' }] })],
  });
  t.match(await program.exited, { signal: null, code: 0 }, program.stderr);
  await program.ended();
});
