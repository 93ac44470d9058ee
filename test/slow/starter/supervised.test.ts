import { existsSync, readFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { descriptors, resident } from '../../support/proc.js';
import { fixture } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { skipUnlessFound, skipUnlessRuns } from '../../support/skip.js';
import { MAIN, ask, plain, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

/** Other tests may keep the processors busy. */
t.setTimeout(240_000);

/** From deploy 20 to deploy 100. */
const MAY_GROW_KIB = 1_024;

/** Receives notify messages as systemd does, and prints each as a line of JSON. */
const NOTIFY_RECEIVER = `
import json, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('{}', flush=True)
while True:
    print(json.dumps(s.recv(4096).decode()), flush=True)
`;

t.test('socket activation: a --port whose address matches a passed socket uses that socket', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const { fd } = (server as unknown as { _handle: { fd: number } })._handle;
  // As systemd does: the program's own pid is in its environment.
  const shell = `LISTEN_PID=$$ exec "$NODE" "$PROGRAM" --port=127.0.0.1:${port} --port=127.0.0.1:0 --interval=0.2 --listen-fds -- ${plain().join(' ')}`;
  const starter = startStarter(t, [], { shell, passed: [fd], env: { LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' } });
  const ready = await starter.program.announced('ready');
  // Otherwise this process would accept too.
  await new Promise((done) => server.close(done));
  t.match(ready, { env: { LISTEN_FDNAMES: 'web:127.0.0.1_0', LISTEN_PID: String(ready.pid) } });
  t.equal(portOf(ready), port);
  t.same(await ask(port), [ready.pid, 1]);
  t.match(await starter.stop(), { code: 0 });
});

t.test(
  'Type=notify: READY when the first worker is up, RELOADING and READY around a deploy, STOPPING, never MAINPID',
  { skip: skipUnlessFound('systemd-notify', 'python3') },
  async (t) => {
    const path = join(scratch(t), 'notify');
    const receiver = spawn('python3', ['-c', NOTIFY_RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.teardown(() => receiver.kill());
    let text = '';
    receiver.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    await waitUntil('the receiver', () => text !== '');
    const said = (word: string, nth = 1): Promise<void> =>
      waitUntil(
        `${word} ${nth}`,
        () => text.split(word).length > nth,
        () => text,
      );
    const starter = startStarter(t, ['--interval=0.3', '--', ...plain()], { env: { NOTIFY_SOCKET: path } });
    const { env } = await starter.program.announced('ready');
    t.notOk('NOTIFY_SOCKET' in (env as object), 'the worker does not get it');
    await said('READY=1');
    starter.signal('SIGHUP');
    await said('RELOADING=1');
    await said('READY=1', 2);
    await starter.stop();
    await said('STOPPING=1');
    const words = [...text.matchAll(/(READY|RELOADING|STOPPING|MAINPID)=/g)].map(([, word]) => word);
    t.same(words, ['READY', 'RELOADING', 'READY', 'STOPPING']);
    t.match(text, /RELOADING=1\\nMONOTONIC_USEC=\d+/);
  },
);

t.test(
  'as process 1 it passes signals on, and stops in order',
  { skip: skipUnlessRuns('unshare', '--fork', '--pid', '--mount-proc', 'true') },
  async (t) => {
    const folder = scratch(t);
    const log = join(folder, 'log');
    const args = [`--log-file=${log}`, '--interval=0.2', '--', ...plain()];
    const unshare = spawn('unshare', ['--fork', '--pid', '--mount-proc', process.execPath, MAIN, ...args], { stdio: 'ignore' });
    const exited = once(unshare, 'exit');
    t.teardown(() => unshare.kill('SIGKILL'));
    const read = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    await waitUntil('a worker', () => read().includes('"ready"'), read);
    const children = (): string => readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8');
    const pid = Number(children());
    process.kill(pid, 'SIGUSR1');
    await waitUntil('the signal', () => read().includes('"SIGUSR1"'), read);
    process.kill(pid, 'SIGHUP');
    await waitUntil('a deploy', () => read().includes('old worker'), read);
    process.kill(pid, 'SIGTERM');
    t.same(await exited, [0, null]);
    t.match(read(), /exiting\n$/);
  },
);

t.test('after 100 deploys it needs less than 60 MiB and no more than before, also in descriptors', async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.05', '--', 'sleep', '1000']);
  const upTo = (generation: number): Promise<void> =>
    waitUntil(
      `generation ${generation}`,
      () => new RegExp(`^${generation}:\\d+\\n$`).test(starter.status()),
      () => starter.status(),
    );
  await upTo(1);
  const before = descriptors(starter.pid);
  let early = 0;
  for (let generation = 2; generation <= 101; generation += 1) {
    starter.signal('SIGHUP');
    await upTo(generation);
    if (generation === 21) early = resident(starter.pid);
  }
  await waitUntil(
    'no more descriptors',
    () => descriptors(starter.pid) <= before,
    () => `${descriptors(starter.pid)}, ${before} before`,
  );
  // It gives memory back a second after a deploy.
  await waitUntil(
    'no more memory',
    () => resident(starter.pid) < early + MAY_GROW_KIB,
    () => `${resident(starter.pid)} KiB, ${early} KiB after 20 deploys`,
  );
  const kibibytes = resident(starter.pid);
  t.comment(`${kibibytes} KiB resident, ${early} KiB after 20 deploys, ${before} descriptors`);
  t.ok(kibibytes < 60 * 1024, `${kibibytes} KiB`);
  await starter.stop();
});

t.test('a worker goes on serving after its start_server was killed', async (t) => {
  const server = [process.execPath, fixture('server'), JSON.stringify({ http: [':0'] })];
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--', ...server]);
  const { pid, addresses } = await starter.program.announced('ready');
  starter.signal('SIGKILL');
  await starter.program.exited;
  const port = portOf((addresses as string[])[0]!);
  const socket = createConnection(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.destroy();
  process.kill(pid, 'SIGTERM');
  await starter.program.ended();
  t.match(starter.program.all('closed'), [{ code: 0 }]);
});
