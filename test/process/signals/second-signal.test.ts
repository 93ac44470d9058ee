import t, { type Test } from 'tap';
import { portOf } from '../../support/address.js';
import { type Answer, type Target, get } from '../../support/http/client.js';
import { type Program, fixture, start } from '../../support/program.js';

/** Longer than a signal counts as a repetition of the first one. */
const SLOW_MS = 2_500;

interface Slow {
  readonly program: Program;
  readonly target: Target;
  readonly pid: number;
  /** A request in flight. */
  readonly answer: Promise<Answer | Error>;
}

/** Starts a program, and a request that is in flight in the last of its generations. */
async function startSlow(t: Test, name: string, argument: object, restarts = 0): Promise<Slow> {
  const program = start(t, fixture(name), { args: [JSON.stringify(argument)] });
  const target = { port: portOf(await program.announced('ready')) };
  for (let restart = 1; restart <= restarts; restart += 1) {
    process.kill(program.pid, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await program.announced('closed', restart);
  }
  const answer = get(target, `/?ms=${SLOW_MS}`).catch((error: Error) => error);
  t.equal((await get(target)).status, 200);
  return { program, target, pid: program.serving, answer };
}

t.test('one request to stop that is sent twice is one', async (t) => {
  const { program, answer, pid } = await startSlow(t, 'server', { http: ['127.0.0.1:0'] });
  process.kill(program.pid, 'SIGTERM');
  await program.announced('draining');
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGTERM'] as const) process.kill(program.pid, signal);
  t.match(await answer, { body: `slept ${SLOW_MS}`, pid });
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('a framework that cleans up and then sends the signal to its own process cuts off nothing', async (t) => {
  for (const [what, argument, restarts] of [
    ['within a second', { cleanUp: 10 }, 0],
    ['later', { cleanUp: 1_300 }, 0],
    ['in the first process and the one that serves', { cleanUp: 1_300, follow: true }, 1],
  ] as const) {
    const { program, answer, pid } = await startSlow(t, 'cleans-up', argument, restarts);
    process.kill(program.pid, 'SIGTERM');
    t.match(await answer, { body: `slept ${SLOW_MS}`, pid }, what);
    t.same(await program.exited, { code: 0, signal: null }, what);
  }
});

t.test('a real second signal exits at once, and says what it cuts off', async (t) => {
  for (const [signal, code, hint] of [
    ['SIGTERM', 143, 'SIGTERM again to exit at once'],
    ['SIGINT', 130, 'Ctrl-C again to quit'],
  ] as const) {
    const { program, answer } = await startSlow(t, 'server', { http: ['127.0.0.1:0'] });
    await program.insist(signal);
    t.same(await program.exited, { code, signal: null });
    t.ok((await answer) instanceof Error);
    await program.ended();
    t.strictSame(program.stderr.split('\n'), [
      `ts-grace[${program.pid}]: draining 1 request, up to 30 s; ${hint}`,
      `ts-grace[${program.pid}]: ${signal} again: cutting off 1 request`,
      '',
    ]);
  }
});

t.test('forceExit: false turns that off', async (t) => {
  const { program, answer } = await startSlow(t, 'server', { http: ['127.0.0.1:0'], forceExit: false });
  await program.insist('SIGTERM');
  t.match(await answer, { body: `slept ${SLOW_MS}` });
  t.same(await program.exited, { code: 0, signal: null });
  t.match(program.stderr, /draining 1 request, up to 30 s\n$/);
});
