import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DEFAULT_BACKLOG } from '../../../lib/socket/listener.js';
import { portOf } from '../../support/address.js';
import { isAlive } from '../../support/proc.js';
import { BY_SYSTEMD, type Program, fixture, start } from '../../support/program.js';
import { backlogOf } from '../../support/http/accept-queue.js';
import { get, targetOf } from '../../support/http/client.js';
import { scratch } from '../../support/scratch.js';
import { descriptorOf, listening } from '../../support/sockets.js';
import { waitUntil } from '../../support/wait.js';

interface Options {
  readonly listen?: readonly string[];
  readonly [option: string]: unknown;
}

/** A program on probation: its first process has handed over. */
async function restarted(t: Test, options: Options = {}): Promise<Program> {
  const program = start(t, fixture('release/faulty'), { args: [JSON.stringify({ listen: ['127.0.0.1:0'], ...options })] });
  await program.announced('ready');
  await restart(program);
  return program;
}

/** Restarts the process that serves, and returns the pid of the next one. */
async function restart(program: Program, pid = program.serving): Promise<number> {
  const [ready, restarted] = [program.all('ready').length, program.all('restarted').length];
  process.kill(pid, 'SIGUSR2');
  await program.announced('restarted', restarted + 1);
  return (await program.announced('ready', ready + 1)).pid;
}

/** Who answers at the nth address. */
async function answering(program: Program, index = 0, path = '/'): Promise<number> {
  return Number((await get(targetOf((program.all('ready')[0]!.addresses as string[])[index]!), path)).body);
}

/** Waits until nobody but this process accepts. */
async function onlyAnswers(program: Program, pid: number): Promise<void> {
  await waitUntil(`only process ${pid} answers`, async () => {
    const pids = await Promise.all(Array.from({ length: 8 }, () => answering(program)));
    return pids.every((other) => other === pid);
  });
}

/** Clients that connect anew for each request, until stop() returns the errors. */
function askAlways(program: Program): { readonly stop: () => Promise<string[]> } {
  const errors: string[] = [];
  let stopped = false;
  const ask = async (): Promise<void> => {
    while (!stopped) await answering(program).catch((error: NodeJS.ErrnoException) => errors.push(String(error.code)));
  };
  const clients = Promise.all([ask(), ask()]);
  return {
    stop: async () => {
      stopped = true;
      await clients;
      return errors;
    },
  };
}

for (const address of ['tcp', 'unix'] as const) {
  t.test(`after SIGKILL of the new process the old one serves again: ${address}`, async (t) => {
    const folder = scratch(t);
    const pidFile = join(folder, 'app.pid');
    const program = await restarted(t, { listen: [address === 'tcp' ? '127.0.0.1:0' : `unix:${folder}/app.sock`], pidFile });
    const [first, second] = program.pids as [number, number];
    await onlyAnswers(program, second);
    t.equal(program.all('server closed').length, 0, 'the old server does not say that it is closed');
    const clients = askAlways(program);
    process.kill(second, 'SIGKILL');
    const reverted = await program.announced('restart-reverted');
    await onlyAnswers(program, first);
    const errors = await clients.stop();
    // A connection that the dead process had accepted: over a unix socket, a request on it may fail with EPIPE.
    t.strictSame(
      errors.filter((code) => !['ECONNRESET', 'EPIPE'].includes(code)),
      [],
      'no connection was refused',
    );
    t.ok(errors.length <= 2, 'only requests inside of the dead process are lost');
    t.match(reverted, { code: 'RESTART_REVERTED', successor: second, exitCode: null, signal: 'SIGKILL', pid: first, state: 'serving' });
    t.equal(readFileSync(pidFile, 'utf8'), `${first}\n`);
    t.equal(program.all('shutdown').length, 0);

    const third = await restart(program, first);
    await onlyAnswers(program, third);
    process.kill(third, 'SIGTERM');
    await program.ended();
    t.equal(program.all('shutdown').length, 2, 'both processes end in order');
  });
}

t.test('sockets that the new version does not want are opened again', async (t) => {
  const socketFile = `unix:${scratch(t)}/app.sock`;
  const program = await restarted(t, { listen: ['127.0.0.1:0', '127.0.0.1:0', socketFile], kept: 1, probation: 60_000 });
  const [first, second] = program.pids as [number, number];
  for (const index of [1, 2]) {
    const closed = (): Promise<boolean> =>
      answering(program, index).then(
        () => false,
        () => true,
      );
    await waitUntil('the socket to close', closed);
  }
  process.kill(second, 'SIGKILL');
  await program.announced('restart-reverted');
  for (const index of [0, 1, 2]) t.equal(await answering(program, index), first);
});

t.test('a socket of systemd that the new version does not want cannot be opened again: the old process serves on the others', async (t) => {
  const held = await Promise.all(['one', 'two'].map(() => listening(t, net.createServer(), { port: 0, host: '127.0.0.1' })));
  const options = { listen: ['systemd:one', 'systemd:two'], kept: 1, probation: 60_000 };
  const program = start(t, fixture('release/faulty'), {
    env: { LISTEN_FDS: '2', LISTEN_FDNAMES: 'one:two', ARGUMENT: JSON.stringify(options) },
    shell: BY_SYSTEMD,
    passed: held.map(descriptorOf),
  });
  await program.announced('ready');
  held[0]!.close();
  const second = await restart(program);
  await onlyAnswers(program, second);
  process.kill(second, 'SIGKILL');
  t.match(await program.announced('restart-reverted'), { pid: program.pid, state: 'serving' });
  await onlyAnswers(program, program.pid);
  await program.logged('systemd:two stays closed after the restart was taken back, as the new version had dropped it: cannot listen on');
});

t.test('an exception in the first request: exit code and stderr are in the event', async (t) => {
  const program = await restarted(t);
  const [first, second] = program.pids as [number, number];
  await onlyAnswers(program, second);
  await t.rejects(answering(program, 0, '/throw'));
  const reverted = await program.announced('restart-reverted');
  t.match(reverted, { pid: first, successor: second, exitCode: 1, signal: null, stderr: /the last words\nError: a bug/ });
  await onlyAnswers(program, first);
  await program.logged(
    new RegExp(
      `ts-grace\\[${first}\\]: restart taken back, this process serves again: the successor \\(process ${second}\\) exited with code 1 on probation`,
    ),
  );
});

t.test('a process whose event loop hangs is killed', async (t) => {
  const program = await restarted(t, { probation: { time: 60_000, hangTimeout: 400 } });
  const [first, second] = program.pids as [number, number];
  await onlyAnswers(program, second);
  await t.rejects(answering(program, 0, '/hang'));
  t.match(await program.announced('restart-reverted'), { pid: first, message: /gave no sign of life for 400 ms, and was killed/ });
  await waitUntil('its end', () => !isAlive(second));
  await onlyAnswers(program, first);
});

t.test('a process that hangs at the end of its probation has not passed it', async (t) => {
  const program = await restarted(t, { probation: { time: 500, hangTimeout: 1_000 }, blocks: 600_000 });
  const [first, second] = program.pids as [number, number];
  t.match(await program.announced('restart-reverted'), { pid: first, message: /gave no sign of life for 1 s, and was killed/ });
  await waitUntil('its end', () => !isAlive(second));
  await onlyAnswers(program, first);
});

t.test('a process with several servers that hangs as soon as it serves is killed', async (t) => {
  // Longer than the old process waits for the sockets, so that it has them before.
  const probation = { time: 60_000, hangTimeout: 4_000 };
  const program = await restarted(t, { listen: ['127.0.0.1:0', '127.0.0.1:0', '127.0.0.1:0'], probation, blocks: 600_000 });
  const [first, second] = program.pids as [number, number];
  t.match(await program.announced('restart-reverted'), { pid: first, message: /gave no sign of life for 4 s, and was killed/ });
  await waitUntil('its end', () => !isAlive(second));
  for (const index of [0, 1, 2]) t.equal(await answering(program, index), first);
});

t.test('a process that is busy at the end of its probation has passed it when it goes on', async (t) => {
  const program = await restarted(t, { probation: { time: 1_200, hangTimeout: 4_000 }, blocks: 2_500 });
  const [first, second] = program.pids as [number, number];
  t.match(await program.announced('closed'), { pid: first, code: 0 });
  t.equal(program.all('unblocked').length, 1, 'the old process has waited for a sign of life');
  await onlyAnswers(program, second);
  t.equal(program.all('restart-reverted').length, 0);
});

t.test('a program says that it is broken: both processes answer all requests', async (t) => {
  const program = await restarted(t, { probation: 60_000 });
  const [first, second] = program.pids as [number, number];
  await onlyAnswers(program, second);
  const clients = askAlways(program);
  await answering(program, 0, '/fail');
  t.match(await program.announced('restart-reverted'), { pid: first, successor: second, message: /is broken: too many errors/, lost: 0 });
  t.match(await program.announced('failed'), { pid: second, reverted: true });
  t.match(await program.announced('closed'), { pid: second, code: 0 });
  await onlyAnswers(program, first);
  t.strictSame(await clients.stop(), []);
});

for (const address of ['tcp', 'unix'] as const) {
  t.test(`with follow, a new process that is broken leaves the socket to the first one: ${address}`, async (t) => {
    const listen = [address === 'tcp' ? '127.0.0.1:0' : `unix:${scratch(t)}/app.sock`];
    const program = await restarted(t, { listen, follow: true, probation: 60_000 });
    const [first, second] = program.pids as [number, number];
    await onlyAnswers(program, second);
    await answering(program, 0, '/fail');
    await program.announced('restart-reverted');
    t.match(await program.announced('closed'), { pid: second, code: 0 });
    t.strictSame(
      program.all('draining').map(({ reason }) => reason),
      ['handover', 'handover'],
      'the end of the new process is no stop of the service',
    );
    await onlyAnswers(program, first);
    const third = await restart(program, first);
    await onlyAnswers(program, third);
    program.process.kill('SIGTERM');
    t.strictSame(await program.exited, { code: 0, signal: null }, 'the first process follows the third one');
  });
}

for (const address of ['tcp', 'unix'] as const) {
  t.test(`a process that fails and stops in the same moment leaves the socket to the old one: ${address}`, async (t) => {
    const file = `${scratch(t)}/app.sock`;
    const program = await restarted(t, { listen: [address === 'tcp' ? '127.0.0.1:0' : `unix:${file}`], probation: 60_000 });
    const [first, second] = program.pids as [number, number];
    await onlyAnswers(program, second);
    await answering(program, 0, '/fail-and-stop');
    t.match(await program.announced('restart-reverted'), { pid: first });
    t.match(await program.announced('closed'), { pid: second, code: 0 });
    await waitUntil('its end', () => !isAlive(second));
    await onlyAnswers(program, first);
    t.equal(existsSync(file), address === 'unix');
    // With another queue, the kernel would drop connections of a busy service.
    if (address === 'tcp') t.equal(await backlogOf(first, portOf(program.all('ready')[0]!), DEFAULT_BACKLOG), DEFAULT_BACKLOG);
  });
}

t.test('a server that can accept no more on probation: the old process serves again', async (t) => {
  const program = await restarted(t, { probation: 60_000 });
  const [first, second] = program.pids as [number, number];
  await onlyAnswers(program, second);
  await answering(program, 0, '/fatal');
  t.match(await program.announced('restart-reverted'), { pid: first, successor: second, message: /is broken: accept EBADF/ });
  t.match(await program.announced('closed'), { pid: second, code: 1 });
  await onlyAnswers(program, first);
});

t.test('a process that fails as soon as it serves is heard by a busy one', async (t) => {
  const program = await restarted(t, { probation: 60_000, busy: 40, at: 'fail' });
  t.match(await program.announced('restart-reverted'), { pid: program.pid, message: /is broken: at once/ });
});

t.test('a process that stops as soon as it serves is heard by a busy one: the service ends', async (t) => {
  const program = await restarted(t, { probation: 60_000, busy: 40, at: 'stop' });
  await program.ended();
  t.equal(program.all('restart-reverted').length, 0);
  t.match(program.all('closed'), [{ code: 0 }, { code: 0 }]);
});

for (const [what, options, signal] of [
  ['without a signal to stop', { signals: { stop: [] } }, 'SIGTERM'],
  ['by a signal that is no option', { signals: { stop: ['SIGTERM'] } }, 'SIGINT'],
] as const) {
  t.test(`with follow and ${what}, a stop on probation ends the service`, async (t) => {
    const program = start(t, fixture('release/faulty'), {
      args: [JSON.stringify({ listen: ['127.0.0.1:0'], follow: true, probation: 60_000, ...options })],
    });
    await program.announced('ready');
    process.kill(program.pid, 'SIGUSR2');
    await program.announced('restarted');
    await onlyAnswers(program, (await program.announced('ready', 2)).pid);
    program.process.kill(signal);
    await program.ended();
    t.equal(program.all('restart-reverted').length, 0);
  });
}

t.test('the old process takes a restart back as soon as it hears of it', async (t) => {
  const program = await restarted(t, { regrets: true });
  const [first, second] = program.pids as [number, number];
  t.match(await program.announced('restart-reverted'), { pid: first, message: /regretted/, state: 'serving' });
  await onlyAnswers(program, first);
  await waitUntil('the end of the new process', () => !isAlive(second));
  t.equal(program.all('shutdown').length, 1, 'only the new process has drained');
});

t.test('a check fails', async (t) => {
  const program = await restarted(t, { probation: 60_000, checks: true });
  const [first, second] = program.pids as [number, number];
  await onlyAnswers(program, second);
  await answering(program, 0, '/sick');
  t.match(await program.announced('restart-reverted'), { pid: first, message: /is broken: its check returned false/ });
});

t.test('a signal of choice takes the restart back', async (t) => {
  const program = await restarted(t, { probation: 60_000, signals: { revert: ['SIGWINCH'] } });
  const [first, second] = program.pids as [number, number];
  process.kill(second, 'SIGWINCH');
  t.match(await program.announced('restart-reverted'), { pid: first, message: /is broken: SIGWINCH/ });
  await onlyAnswers(program, first);
});

t.test('SIGTERM on probation ends both processes, and loses nothing', async (t) => {
  const program = await restarted(t, { probation: 60_000 });
  await onlyAnswers(program, program.serving);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
  t.equal(program.all('shutdown').length, 2);
  t.match(program.all('closed'), [{ code: 0 }, { code: 0 }]);
  t.equal(program.all('restart-reverted').length, 0);
});

t.test('SIGTERM to the old process ends its part', async (t) => {
  const program = await restarted(t, { probation: 60_000 });
  const [first, second] = program.pids as [number, number];
  process.kill(first, 'SIGTERM');
  t.match(await program.announced('closed'), { pid: first, code: 0 });
  await onlyAnswers(program, second);
});

t.test('a restart on probation ends it', async (t) => {
  const program = await restarted(t, { probation: 60_000 });
  const [first, second] = program.pids as [number, number];
  await restart(program);
  t.match(await program.announced('closed'), { pid: first, code: 0 });
  process.kill(program.serving, 'SIGKILL');
  t.match(await program.announced('restart-reverted'), { pid: second });
  await onlyAnswers(program, second);
});

t.test('after the probation the old process runs its hook and ends', async (t) => {
  const program = await restarted(t, { probation: 300 });
  t.match(await program.announced('shutdown'), { pid: program.pid });
  t.strictSame(await program.exited, { code: 0, signal: null });
  process.kill(program.serving, 'SIGKILL');
  await program.ended();
  t.equal(program.all('restart-reverted').length, 0);
});

t.test('with follow, the first process serves again and gets its signals', async (t) => {
  const program = await restarted(t, { follow: true });
  await onlyAnswers(program, program.serving);
  process.kill(program.serving, 'SIGKILL');
  await program.announced('restart-reverted');
  await onlyAnswers(program, program.pid);
  await onlyAnswers(program, await restart(program, program.pid));
  program.process.kill('SIGTERM');
  t.strictSame(await program.exited, { code: 0, signal: null });
});

t.test('with follow, a later generation serves again and gets the signals of the first process', async (t) => {
  const program = await restarted(t, { follow: true, probation: 60_000 });
  const second = program.serving;
  const third = await restart(program);
  process.kill(third, 'SIGKILL');
  t.match(await program.announced('restart-reverted'), { pid: second, successor: third });
  await onlyAnswers(program, second);
  program.process.kill('SIGTERM');
  t.strictSame(await program.exited, { code: 0, signal: null });
  t.ok(program.all('closed').some(({ pid }) => pid === second));
});

t.test('without moving connections there is probation too', async (t) => {
  const program = await restarted(t, { moveConnections: false });
  await onlyAnswers(program, program.serving);
  process.kill(program.serving, 'SIGKILL');
  await program.announced('restart-reverted');
  await onlyAnswers(program, program.pid);
});
