import t from 'tap';
import { restart, startAuto } from '../../support/auto/start-auto.js';
import { children, isAlive } from '../../support/proc.js';
import { fixture, start } from '../../support/program.js';
import { get } from '../../support/http/client.js';
import { freePort } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

const WAYS: Readonly<Record<string, { readonly nodeArgs?: readonly string[]; readonly env: Readonly<Record<string, string>> }>> = {
  'node --import': { nodeArgs: ['--import', 'ts-grace/auto'], env: {} },
  NODE_OPTIONS: { env: { NODE_OPTIONS: '--import ts-grace/auto' } },
};

for (const [way, { nodeArgs = [], env }] of Object.entries(WAYS)) {
  t.test(`port 0, worker threads and children stay alone, with ${way}`, async (t) => {
    const port = await freePort();
    const program = start(t, fixture('auto/parts'), { args: [String(port)], nodeArgs, env: { ...env, GRACE_FOLLOW: 'false' } });
    t.match(await program.announced('ephemeral'), { handlers: 0 }, 'a server on port 0 changes nothing');
    t.match(await program.announced('ready'), { handlers: 1 }, 'the program itself is handed over');
    const child = await program.announced('child');
    t.match(child, { handlers: 0, variables: [] });
    t.match(await program.announced('thread'), { handlers: 0, variables: [] });
    process.kill(program.serving, 'SIGUSR2');
    const { pid } = await program.announced('ready', 2);
    await waitUntil('the new process', async () => (await get({ port })).body === `main ${pid}`);
    t.match(await get({ port: child['port'] as number }), { body: `child ${child.pid}` }, 'the child serves on');
    t.match(await program.announced('child', 2), { handlers: 0, variables: [] }, 'that of a successor stays alone too');
    for (const { pid: other } of program.all('child')) process.kill(other, 'SIGUSR2');
    await waitUntil('the end of the children', () =>
      program.all('child').every((one) => !isAlive(one.pid) || children(pid).includes(one.pid)),
    );
  });
}

t.test('a program with node:cluster stays alone', async (t) => {
  const program = start(t, fixture('auto/parts'), { args: [String(await freePort()), 'cluster'], nodeArgs: ['--import', 'ts-grace/auto'] });
  t.match(await program.announced('worker'), { handlers: 0 });
  t.match(await program.announced('primary'), { handlers: 0 });
});

t.test('a program that calls serve() is not wrapped twice', async (t) => {
  const argument = JSON.stringify({ http: ['127.0.0.1:0'] });
  const program = start(t, fixture('server'), { args: [argument], nodeArgs: ['--import', 'ts-grace/auto'] });
  const { addresses } = await program.announced('ready');
  process.kill(program.pid, 'SIGUSR2');
  t.match(await program.announced('ready', 2), { addresses, generation: 2 });
  t.match(await program.exited, { code: 0 });
});

t.test('the inspector stays alone: each process has its own port', async (t) => {
  const port = await freePort();
  const program = startAuto(t, { http: [{ port, host: '127.0.0.1' }] }, { NODE_OPTIONS: '--inspect=127.0.0.1:0' });
  await program.announced('ready');
  await restart(program);
  t.equal((await get({ port })).pid, program.serving);
  await waitUntil('two inspectors', () => new Set(program.stderr.match(/ws:\/\/127\.0\.0\.1:\d+/g)).size === 2);
  t.notMatch(program.stderr, /warning/);
});
