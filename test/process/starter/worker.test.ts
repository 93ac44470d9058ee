import { mkdirSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { scratch } from '../../support/scratch.js';
import { skipUnlessFound, skipUnlessRuns } from '../../support/skip.js';
import { ask, plain, plainIn, startStarter } from '../../support/starter.js';

interface Facts {
  readonly env: Record<string, string>;
  readonly sockets: readonly { type: string; name: string; blocking: boolean; port: number; reuse: number; v6only: number | null }[];
  readonly [fact: string]: unknown;
}

t.test(
  'a Python worker that calls accept(2) gets each kind of socket in both conventions',
  { skip: skipUnlessFound('python3') },
  async (t) => {
    const folder = scratch(t);
    const path = join(folder, 'app.sock');
    const args = [
      '--port=0',
      '--port=127.0.0.1:u0',
      '--port=[::1]:0=9',
      '--port=127.0.0.1:0=4',
      `--path=${path}`,
      '--listen-fds',
      '--',
      ...plainIn('python3'),
      'x y',
      '--flag',
    ];
    const starter = startStarter(t, args, { env: { 'odd-name': 'kept' } });
    const ready = (await starter.program.announced('ready')) as unknown as Facts & { pid: number };
    t.match(ready.env, {
      SERVER_STARTER_PORT: `0=3;127.0.0.1:0=5;[::1]:0=9;127.0.0.1:0=4;${path}=7`,
      SERVER_STARTER_GENERATION: '1',
      SERVER_STARTER_WORKER: '1',
      LISTEN_FDS: '5',
      LISTEN_PID: String(ready.pid),
      LISTEN_FDNAMES: `0:127.0.0.1_0:127.0.0.1_u0:[__1]_0:${path}`,
      'odd-name': 'kept',
    });
    t.same(ready['args'], ['x y', '--flag']);
    t.same(
      ready.sockets.map(({ type }) => type),
      ['SOCK_STREAM', 'SOCK_DGRAM', 'SOCK_STREAM', 'SOCK_STREAM', 'SOCK_STREAM'],
    );
    t.same(
      ready.sockets.slice(0, 4).map(({ reuse }) => reuse),
      [1, 1, 1, 1],
      'SO_REUSEADDR',
    );
    t.same(
      ready.sockets.map(({ blocking }) => blocking),
      [true, true, true, true, true],
    );
    t.match(ready.sockets[0]!.name, '0.0.0.0', 'a bare port is IPv4');
    t.equal(ready.sockets[2]!.v6only, 1);
    t.equal(ready.sockets[4]!.name, path, 'getsockname(2) tells the path');
    const [bare, udp, v6, v4] = ready.sockets.map(({ port }) => port);
    const answer = [ready.pid, 1];
    t.same(await ask(bare!), answer);
    t.same(await ask(v6!, 'ask\n', '::1'), answer);
    t.same(await ask(v4!), answer);
    t.same(await ask(path), answer);
    const client = createSocket('udp4');
    client.send('hello', udp!, '127.0.0.1');
    const [datagram] = (await once(client, 'message')) as [Buffer];
    client.close();
    t.same(datagram.toString().split(' ').map(Number), answer, 'over UDP');
    await starter.said('socket is duplicated to file descriptor 9');
    t.match(await starter.stop(), { code: 0 });
  },
);

t.test(
  'a Perl worker that calls accept(2) is replaced by SIGHUP',
  { skip: skipUnlessRuns('perl', '-MIO::Socket::INET', '-e', '1') },
  async (t) => {
    const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.3', '--', ...plainIn('perl')]);
    const first = await starter.program.announced('ready');
    const port = first['port'] as number;
    t.same(await ask(port), [first.pid, 1]);
    starter.signal('SIGHUP');
    const second = await starter.program.announced('ready', 2);
    await starter.said(`old worker ${first.pid} died, status:0`);
    t.same(await ask(port), [second.pid, 2]);
    t.match(await starter.stop(), { code: 0 });
  },
);

t.test('with --non-blocking accept(2) does not wait on any socket', { skip: skipUnlessFound('python3') }, async (t) => {
  const path = join(scratch(t), 'app.sock');
  const ports = ['--port=127.0.0.1:0', '--port=127.0.0.1:u0', '--port=[::1]:0', `--path=${path}`];
  const starter = startStarter(t, [...ports, '--non-blocking', '--', ...plainIn('python3')]);
  const { sockets } = (await starter.program.announced('ready')) as unknown as Facts;
  t.same(
    sockets.map(({ blocking }) => blocking),
    [false, false, false, false],
  );
  t.match(await starter.stop(), { code: 0 });
});

t.test('without ports SERVER_STARTER_PORT is empty; descriptor 0 can be a socket', async (t) => {
  const none = startStarter(t, ['--', ...plain()]);
  const { env } = (await none.program.announced('ready')) as unknown as Facts;
  t.equal(env['SERVER_STARTER_PORT'], '');
  t.notOk('LISTEN_FDS' in env);
  await none.stop();
  const stdin = startStarter(t, ['--port=127.0.0.1:0=0', '--listen-fds', '--', ...plain()]);
  const ready = await stdin.program.announced('ready');
  t.match(ready, { env: { SERVER_STARTER_PORT: '127.0.0.1:0=0', LISTEN_FDS: '1' } });
  t.match(ready['stdin'], /^socket:/);
  t.same(await ask(portOf(ready)), [ready.pid, 1]);
  await stdin.stop();
});

t.test('without --listen-fds no variable of systemd is set, as Server::Starter sets none', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--', ...plain()]);
  const { env } = (await starter.program.announced('ready')) as unknown as Facts;
  t.same(
    Object.keys(env).filter((name) => name.startsWith('LISTEN_')),
    [],
  );
  t.equal(env['SERVER_STARTER_PORT'], '127.0.0.1:0=3');
  await starter.stop();
});

t.test('--dir sets the working directory and PWD', async (t) => {
  const folder = scratch(t);
  mkdirSync(join(folder, 'inside'));
  const starter = startStarter(t, [`--dir=${join(folder, 'inside')}`, '--', ...plain()]);
  const ready = await starter.program.announced('ready');
  t.match(ready, { cwd: join(folder, 'inside'), env: { PWD: join(folder, 'inside') } });
  await starter.stop();
});
