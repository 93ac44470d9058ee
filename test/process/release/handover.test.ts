import { once } from 'node:events';
import http2 from 'node:http2';
import t from 'tap';
import { portOf, portsOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { json } from '../../support/http/administered.js';
import { get } from '../../support/http/client.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { waitUntil } from '../../support/wait.js';

const SESSIONS = 40;
const HANDOVER_MS = 1_500;

t.test('handoverTime: both processes accept, and later only the new one', async (t) => {
  const argument = { http: ['127.0.0.1:0'], handoverTime: HANDOVER_MS };
  const program = start(t, fixture('server'), { args: [JSON.stringify(argument)] });
  const target = { port: portOf(await program.announced('ready')) };
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await program.announced('restarted');
  const begin = performance.now();
  const pids = new Set<number>();
  await waitUntil('answers of both', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(target)));
    for (const answer of answers) pids.add(answer.pid);
    return pids.size === 2;
  });
  await program.announced('closed');
  // The test may hear of the begin later than it was.
  t.ok(performance.now() - begin >= HANDOVER_MS / 2);
  t.equal((await get(target)).pid, pid);
});

t.test('handoverTime: HTTP/2 sessions leave one after the other', async (t) => {
  const { keyFile: key, certFile: cert, cert: ca } = await makeCertificate(scratch(t));
  const argument = { serve: ['h2'], key, cert, handoverTime: HANDOVER_MS, idleTimeout: 500, drainTimeout: 20_000 };
  const program = start(t, fixture('protocols'), { args: [JSON.stringify(argument)] });
  const port = portOf(await program.announced('ready'));
  const ends: number[] = [];
  for (let index = 0; index < SESSIONS; index += 1) {
    const session = http2.connect(`https://localhost:${port}`, { ca });
    t.teardown(() => session.destroy());
    session.on('error', () => undefined);
    const stream = session.request({ ':path': '/' });
    stream.resume();
    await once(stream, 'close');
    session.once('goaway', () => ends.push(performance.now()));
  }
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('restarted');
  const begin = performance.now();
  await waitUntil('GOAWAY for all', () => ends.length === SESSIONS);
  const early = ends.filter((end) => end - begin < HANDOVER_MS / 3).length;
  t.ok(early < SESSIONS * 0.9, `${early} of ${SESSIONS} left in the first third of the time`);
  t.ok(ends.at(-1)! - ends[0]! > HANDOVER_MS / 3, 'they did not leave all at once');
});

for (const [when, probation] of Object.entries({ in: 60_000, after: 300 })) {
  t.test(`handoverTime: a stop ${when} the probation ends both processes`, async (t) => {
    const argument = { follow: false, handoverTime: 100_000, drainTimeout: 110_000, probation };
    const program = start(t, fixture('administered'), { args: [JSON.stringify(argument)] });
    const [port, adminPort] = portsOf(await program.announced('ready'));
    process.kill(program.pid, 'SIGUSR2');
    const { pid } = await program.announced('ready', 2);
    await program.announced('restarted');
    const isOver = async (): Promise<boolean> => {
      const answers = await Promise.all(Array.from({ length: 8 }, () => get({ port: adminPort! }, '/status')));
      return answers.every((answer) => json(answer)['probation'] === false);
    };
    if (when === 'after') await waitUntil('the end of the probation', isOver);
    process.kill(pid, 'SIGTERM');
    await program.ended();
    t.match(program.all('closed'), [{ code: 0 }, { code: 0 }]);
    t.equal(program.all('restart-reverted').length, 0);
    await t.rejects(get({ port: port! }), { code: 'ECONNREFUSED' });
  });
}

t.test('handoverTime: the new process dies meanwhile, and the old one serves on at once', async (t) => {
  const argument = { http: ['127.0.0.1:0'], handoverTime: 100_000, drainTimeout: 110_000, probation: 60_000 };
  const program = start(t, fixture('server'), { args: [JSON.stringify(argument)] });
  const target = { port: portOf(await program.announced('ready')) };
  process.kill(program.pid, 'SIGUSR2');
  const { pid } = await program.announced('ready', 2);
  await program.announced('restarted');
  process.kill(pid, 'SIGKILL');
  t.match(await program.announced('restart-reverted'), { pid: program.pid, successor: pid, state: 'serving' });
  const { pid: answering, headers } = await get(target, '/', { headers: { connection: 'keep-alive' } });
  t.equal(answering, program.pid);
  t.equal(headers.connection, 'keep-alive', 'nobody is told to leave any more');
});
