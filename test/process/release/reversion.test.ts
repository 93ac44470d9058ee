import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { portOf, portsOf } from '../../support/address.js';
import { startAuto } from '../../support/auto/start-auto.js';
import { json } from '../../support/http/administered.js';
import { IdleClients } from '../../support/http/idle-clients.js';
import { type Target, get, send } from '../../support/http/client.js';
import { isAlive } from '../../support/proc.js';
import { type Program, fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { freePort } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

const LONG_MS = 60_000;
const MOVED = 30;

/** Waits until nobody but this process answers. */
async function onlyAnswers(target: Target, pid: number): Promise<void> {
  await waitUntil(`only process ${pid} answers`, async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => get(target)));
    return answers.every((answer) => answer.pid === pid);
  });
}

/** Restarts the first process, which serves again after each reversion. */
async function restart(program: Program): Promise<number> {
  const count = program.all('ready').length;
  process.kill(program.pid, 'SIGUSR2');
  return (await program.announced('ready', count + 1)).pid;
}

t.test('POST /revert takes the restart back, and answers when the old process serves again', async (t) => {
  const program = start(t, fixture('administered'), { args: [JSON.stringify({ follow: false, probation: LONG_MS })] });
  const [port, adminPort] = portsOf(await program.announced('ready'));
  const [target, admin] = [{ port: port! }, { port: adminPort! }];
  const post = (path: string): ReturnType<typeof get> => send(admin, { method: 'POST', path });
  t.match(await post('/revert'), { status: 409, body: /no process is on probation/ }, 'there is nothing to take back');
  const second = await restart(program);
  await onlyAnswers(target, second);
  t.match(json(await get(admin, '/status')), { pid: second, probation: true, state: 'serving' });
  const reverted = await post('/revert?reason=wrong%20prices');
  t.equal(reverted.status, 200);
  t.strictSame(json(reverted), { reverted: true });
  t.match(await program.announced('restart-reverted'), {
    pid: program.pid,
    successor: second,
    message: /is broken: wrong prices$/,
    lost: 0,
  });
  await onlyAnswers(target, program.pid);
  await waitUntil('its end', () => !isAlive(second));
  t.match(json(await get(admin, '/status')), { pid: program.pid, probation: false, state: 'serving', generation: 1, restartsReverted: 1 });
  const { body } = await get(admin, '/metrics');
  t.match(body, 'grace_restarts_total{result="reverted"} 1\n');
  t.match(body, 'grace_restarts_total{result="succeeded"} 0\n');
  t.match(body, 'grace_lost_total 0\n');
  t.equal((await get(admin, '/readyz')).status, 200);
  t.equal((await post('/revert')).status, 409, 'it is over');

  const third = await restart(program);
  await onlyAnswers(target, third);
  t.match((await get(admin, '/metrics')).body, 'grace_restarts_total{result="reverted"} 1\n', 'the count is passed on');
  process.kill(third, 'SIGTERM');
  await program.ended();
});

t.test('the first process, which stands by, gets the signal that takes the restart back', async (t) => {
  const options = { listen: ['127.0.0.1:0'], follow: true, probation: LONG_MS, signals: { revert: ['SIGWINCH'] } };
  const program = start(t, fixture('release/faulty'), { args: [JSON.stringify(options)] });
  await program.announced('ready');
  await restart(program);
  await program.announced('restarted');
  program.process.kill('SIGWINCH');
  t.match(await program.announced('restart-reverted'), { pid: program.pid, message: /is broken: SIGWINCH$/ });
  program.process.kill('SIGTERM');
  t.strictSame(await program.exited, { code: 0, signal: null });
});

t.test('connections that had moved to the dead process are counted', async (t) => {
  const fault = join(scratch(t), 'fault');
  writeFileSync(fault, '');
  const program = start(t, fixture('release/dying'), { args: [JSON.stringify({ fault, probation: LONG_MS })] });
  const clients = await IdleClients.connect(t, portOf(await program.announced('ready')), MOVED);
  const second = await restart(program);
  await program.announced('restarted');
  await waitUntil('the move', async () => {
    const pids = await clients.ask();
    return pids.get(second) === MOVED;
  });
  process.kill(second, 'SIGKILL');
  t.match(await program.announced('restart-reverted'), {
    lost: MOVED,
    message: new RegExp(`was killed by SIGKILL on probation; up to ${MOVED} connections that had moved to it ended with it`),
  });
  await waitUntil('the end of the connections', () => clients.ended === MOVED);
});

t.test('a second release that fails too is taken back to the same process; pid file and first process know it', async (t) => {
  const pidFile = join(scratch(t), 'app.pid');
  const options = { listen: ['127.0.0.1:0'], follow: true, probation: LONG_MS, pidFile };
  const program = start(t, fixture('release/faulty'), { args: [JSON.stringify(options)] });
  const target = { port: portOf(await program.announced('ready')) };
  const inFile = (): number => Number(readFileSync(pidFile, 'utf8'));
  for (let nth = 1; nth <= 2; nth += 1) {
    const next = await restart(program);
    await waitUntil('the pid of the new process', () => inFile() === next);
    process.kill(next, 'SIGKILL');
    await program.announced('restart-reverted', nth);
    t.equal(inFile(), program.pid);
    t.equal(Number((await get(target)).body), program.pid);
  }
  // What the first process gets is meant for the one that serves: now itself again.
  const third = await restart(program);
  await program.announced('restarted', 3);
  program.process.kill('SIGTERM');
  t.strictSame(await program.exited, { code: 0, signal: null });
  t.ok(program.all('closed').some(({ pid }) => pid === third));
});

async function auto(t: Test, options: object = {}): Promise<{ readonly program: Program; readonly target: Target }> {
  const port = await freePort();
  const program = startAuto(t, { http: [{ port, host: '127.0.0.1' }], onTerm: 'close', ...options }, { GRACE_PROBATION: String(LONG_MS) });
  await program.announced('ready');
  return { program, target: { port } };
}

t.test('a program that knows nothing of ts-grace: the old process serves again, and its handlers have not run', async (t) => {
  const { program, target } = await auto(t);
  const second = await restart(program);
  await onlyAnswers(target, second);
  process.kill(second, 'SIGKILL');
  await onlyAnswers(target, program.pid);
  t.strictSame(program.all('handler'), []);
  await program.logged(/restart taken back, this process serves again: the successor \(process \d+\) was killed by SIGKILL on probation/);

  const third = await restart(program);
  await onlyAnswers(target, third);
  process.kill(third, 'SIGTERM');
  await program.ended();
  t.strictSame(new Set(program.all('handler').map(({ pid }) => pid)), new Set([program.pid, third]), 'both end as the program wants it');
});

t.test('a program that knows nothing of ts-grace: a stop after that loses nothing', async (t) => {
  const { program, target } = await auto(t);
  const second = await restart(program);
  await onlyAnswers(target, second);
  process.kill(second, 'SIGKILL');
  await onlyAnswers(target, program.pid);
  const slow = get(target, '/?ms=500');
  await get(target);
  process.kill(program.pid, 'SIGTERM');
  t.match(await slow, { status: 200, pid: program.pid });
  t.strictSame(await program.exited, { code: 0, signal: null });
  t.equal(program.all('handler').length, 1);
});
