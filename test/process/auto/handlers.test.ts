import t from 'tap';
import { startAuto } from '../../support/auto/start-auto.js';
import { get } from '../../support/http/client.js';
import { freePort } from '../../support/sockets.js';

const HOST = '127.0.0.1';

for (const [onTerm, code] of [
  ['close', 3],
  ['exit', 4],
  ['exit later', 5],
  ['kill itself', 0],
  ['close slowly', 0],
  ['only close', 0],
  ['nothing', 0],
] as const) {
  t.test(`on SIGTERM: ${onTerm}`, async (t) => {
    const port = await freePort();
    const program = startAuto(t, { http: [{ port, host: HOST }], onTerm, code });
    await program.announced('ready');
    const slow = get({ port }, '/?ms=700');
    const begun = get({ port }, '/pieces?ms=800');
    await get({ port }, '/');
    process.kill(program.pid, 'SIGTERM');
    await program.announced('handler');
    t.equal((await slow).body, 'slept 700', 'a request in flight gets its answer');
    t.match((await begun).body, /done$/, 'a response that is being written is whole');
    t.match(await program.exited, { code, signal: null }, 'the exit code is what the program asked for');
    if (onTerm === 'close slowly') t.equal(program.all('database closed').length, 1, 'a promise of a handler is waited for');
    if (onTerm === 'only close') t.equal(program.all('server closed').length, 1, 'close() calls back when the server has drained');
  });
}

t.test('process.exit(143) at SIGTERM says that the signal has ended the program, which is exit code 0', async (t) => {
  const port = await freePort();
  const program = startAuto(t, { http: [{ port, host: HOST }], onTerm: 'close', code: 143 });
  await program.announced('ready');
  process.kill(program.pid, 'SIGTERM');
  t.match(await program.exited, { code: 0, signal: null });
});

t.test('an error in a handler is an uncaught exception, as always', async (t) => {
  const port = await freePort();
  const program = startAuto(t, { http: [{ port, host: HOST }], onTerm: 'throw' });
  await program.announced('ready');
  process.kill(program.pid, 'SIGTERM');
  t.match(await program.exited, { code: 1 });
  await program.ended();
  t.match(program.stderr, /the handler of SIGTERM failed/);
});

t.test('while it serves, close() and exit() do what they always do', async (t) => {
  const port = await freePort();
  const program = startAuto(t, { http: [{ port, host: HOST }], onTerm: 'nothing' }, { GRACE_SIGNALS: 'false' });
  await program.announced('ready');
  process.kill(program.pid, 'SIGTERM');
  await program.announced('handler');
  process.kill(program.pid, 'SIGKILL');
  t.match(await program.exited, { signal: 'SIGKILL' }, 'GRACE_SIGNALS=false leaves all signals to the program');
});
