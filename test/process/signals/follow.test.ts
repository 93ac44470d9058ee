import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { portOf } from '../../support/address.js';
import { type Target, get } from '../../support/http/client.js';
import { children } from '../../support/proc.js';
import { type Program, fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { skipUnlessRuns } from '../../support/skip.js';
import { waitUntil } from '../../support/wait.js';

async function followed(t: Test, options: object = {}): Promise<{ program: Program; target: Target }> {
  const argument = { follow: true, idleTimeout: 100, ...options };
  // A group of its own, as a shell gives to a job.
  const program = start(t, fixture('follow'), {
    args: [JSON.stringify(argument)],
    detached: true,
  });
  return { program, target: { port: portOf(await program.announced('ready')) } };
}

/** Restarts by a signal to the first process, and waits until it has drained. */
async function restart(program: Program, times: number): Promise<void> {
  for (let restart = 1; restart <= times; restart += 1) {
    process.kill(program.pid, 'SIGUSR2');
    await program.announced('ready', restart + 1);
    await program.announced('closed', restart);
  }
}

t.test('the first process stays and passes signals on', async (t) => {
  const { program, target } = await followed(t);
  await restart(program, 3);
  t.equal(program.pids.length, 4, 'four generations');
  await waitUntil('the first and the last', () => program.pids.filter(isRunning).length === 2);
  t.same(program.pids.filter(isRunning), [program.pid, program.serving], 'the first and the last are left');
  t.equal(Number((await get(target)).body), program.serving);
  const sockets = (await get(target, '/descriptors')).body.split('\n').filter((line) => / ([3-9]|\d\d+) -> socket:/.test(line));
  t.same(sockets, [], 'a program that a generation starts inherits no socket');

  process.kill(program.pid, 'SIGHUP');
  await waitUntil('SIGHUP', () => program.all('hup').some(({ pid }) => pid === program.serving));

  const slow = get(target, '/?ms=500');
  await waitUntil('the slow request to be in flight', async () => (await get(target)).status === 200);
  process.kill(program.pid, 'SIGTERM');
  t.equal(Number((await slow).body), program.serving, 'the last one drains');
  t.match(await program.exited, { code: 0, signal: null });
  t.same(program.pids.filter(isRunning), [], 'no process is left');
});

t.test('the exit code is that of the last generation', async (t) => {
  const ends: [string, number, (program: Program, target: Target) => unknown, number][] = [
    ['exits', 1, (_, target) => get(target, '/exit?code=7').catch(() => undefined), 7],
    ['exits', 2, (_, target) => get(target, '/exit?code=7').catch(() => undefined), 7],
    ['throws', 2, (_, target) => get(target, '/throw').catch(() => undefined), 1],
    ['is killed as a child of the first process', 1, (program) => process.kill(program.serving, 'SIGKILL'), 137],
    ['is killed, and its exit code stays unknown', 2, (program) => process.kill(program.serving, 'SIGKILL'), 1],
    ['stops', 2, (program) => process.kill(program.serving, 'SIGTERM'), 0],
  ];
  for (const [what, restarts, end, code] of ends) {
    const { program, target } = await followed(t);
    await restart(program, restarts);
    await end(program, target);
    t.match(await program.exited, { code, signal: null }, `generation ${restarts + 1} ${what}`);
  }
});

t.test('without a restart follow changes nothing', async (t) => {
  const { program, target } = await followed(t);
  t.equal((await get(target)).status, 200);
  process.kill(program.pid, 'SIGTERM');
  t.match(await program.exited, { code: 0 });
});

t.test('a restart that fails leaves no trace', async (t) => {
  const { program, target } = await followed(t, { restartTimeout: 1 });
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('restart-failed');
  t.equal(Number((await get(target)).body), program.pid);
  process.kill(program.pid, 'SIGTERM');
  t.match(await program.exited, { code: 0 });
});

t.test('Ctrl-C reaches all generations at once and counts as one signal', async (t) => {
  for (const [times, code, whole] of [
    [1, 0, true],
    [2, 130, false],
  ] as const) {
    const { program, target } = await followed(t);
    await restart(program, 2);
    const slow = get(target, '/?ms=2000').then(
      ({ body }) => Number(body),
      () => undefined,
    );
    await waitUntil('the slow request to be in flight', async () => (await get(target)).status === 200);
    process.kill(-program.pid, 'SIGINT');
    await waitUntil('a drain', () => program.all('draining').length === 3);
    // What comes within a second is the same Ctrl-C.
    if (times === 2) await sleep(1_200);
    if (times === 2) process.kill(-program.pid, 'SIGINT');
    t.equal(await slow, whole ? program.serving : undefined, `${times} times`);
    t.match(await program.exited, { code, signal: null });
  }
});

t.test('the first process passes signals on while it still drains', async (t) => {
  const { program, target } = await followed(t);
  const slow = get(target, '/?ms=1500');
  await waitUntil('the slow request to be in flight', async () => (await get(target)).status === 200);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 2);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 3);
  t.equal(program.all('ready').at(-1)!['generation'], 3);
  process.kill(program.pid, 'SIGTERM');
  t.equal(Number((await slow).body), program.pid, 'it answers its request in flight');
  t.match(await program.exited, { code: 0 });
  t.same(
    program.all('closed').map(({ code }) => code),
    [0, 0, 0],
  );
});

t.test('no signal is lost while generation 2 or later drains', async (t) => {
  const { program, target } = await followed(t, { idleTimeout: 100 });
  await restart(program, 1);
  const slow = get(target, '/?ms=2500');
  await waitUntil('the slow request to be in flight', async () => (await get(target)).status === 200);
  const draining = program.serving;
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('ready', 3);
  await waitUntil('generation 2 to drain', () => program.all('draining').some(({ pid }) => pid === draining));
  for (let count = 1; count <= 20; count += 1) {
    process.kill(program.pid, 'SIGHUP');
    await waitUntil(`SIGHUP number ${count}`, () => program.all('hup').filter(({ pid }) => pid === program.serving).length === count);
  }
  t.notOk(
    program.all('closed').some(({ pid }) => pid === draining),
    'generation 2 still drains',
  );
  process.kill(program.pid, 'SIGTERM');
  t.equal(Number((await slow).body), draining);
  t.match(await program.exited, { code: 0, signal: null });
  t.equal(program.all('draining').at(-1)!.pid, program.serving);
});

t.test('the service ends if the first process is killed', async (t) => {
  const { program, target } = await followed(t);
  await restart(program, 2);
  const slow = get(target, '/?ms=300');
  await waitUntil('the slow request to be in flight', async () => (await get(target)).status === 200);
  process.kill(program.pid, 'SIGKILL');
  t.equal(Number((await slow).body), program.serving);
  await program.ended();
  t.match(program.all('closed').at(-1), { code: 0 });
});

t.test('follow with exit: false is refused', async (t) => {
  const program = start(t, fixture('follow'), { args: [JSON.stringify({ follow: true, exit: false })] });
  await program.exited;
  t.match(program.stderr, /OPTION_INVALID/);
});

const skip = skipUnlessRuns('unshare', '--pid', '--fork', '--mount-proc', 'true');

/** A program as PID 1; its pids are not those of this namespace, so it is no Program. */
class Container {
  readonly process: ChildProcess;
  readonly announcements: { event: string; pid: number }[] = [];
  readonly exited: Promise<unknown[]>;
  readonly socketPath: string;
  stderr = '';

  constructor(t: Test, options: object, name = 'follow') {
    this.socketPath = join(scratch(t), 'app.sock');
    const address = `unix:${this.socketPath}`;
    const argument = JSON.stringify({ ...(name === 'follow' ? { listen: address } : { http: [address] }), idleTimeout: 100, ...options });
    const namespace = ['--pid', '--fork', '--mount-proc', '--kill-child=KILL'];
    // By env -i, as the test runner adds variables to what spawn() starts, `--no-warnings` for one.
    const program = ['env', '-i', `PATH=${process.env['PATH']}`, process.execPath, fixture(name), argument];
    this.process = spawn('unshare', [...namespace, ...program], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.exited = once(this.process, 'exit');
    createInterface({ input: this.process.stdout! }).on('line', (line) => {
      if (line.startsWith('{')) this.announcements.push(JSON.parse(line) as { event: string; pid: number });
    });
    this.process.stderr!.on('data', (data: Buffer) => {
      this.stderr += String(data);
    });
    t.teardown(async () => {
      this.process.kill('SIGKILL');
      await this.exited;
    });
  }

  /** Its pid in this namespace. */
  get init(): number {
    return children(this.process.pid!)[0]!;
  }

  announced(event: string, count = 1): Promise<void> {
    const all = (): number => this.announcements.filter((announcement) => announcement.event === event).length;
    return waitUntil(
      `${event} number ${count}`,
      () => all() >= count,
      () => JSON.stringify(this.announcements) + this.stderr,
    );
  }
}

t.test('PID 1 of a container', { skip }, async (t) => {
  const alone = new Container(t, { follow: false });
  await alone.announced('ready');
  process.kill(alone.init, 'SIGUSR2');
  await waitUntil(
    'a refusal',
    () => /\bfollow\b.*\bstart_server\b/s.test(alone.stderr),
    () => alone.stderr,
  );
  t.equal((await get({ socketPath: alone.socketPath })).body, '1', 'it serves on');
  process.kill(alone.init, 'SIGTERM');
  t.same(await alone.exited, [0, null]);

  const following = new Container(t, { follow: true });
  await following.announced('ready');
  for (let restart = 1; restart <= 3; restart += 1) {
    process.kill(following.init, 'SIGUSR2');
    await following.announced('ready', restart + 1);
    await following.announced('closed', restart);
  }
  const last = following.announcements.findLast(({ event }) => event === 'ready')!.pid;
  t.not(last, 1);
  t.equal((await get({ socketPath: following.socketPath })).body, String(last), 'the last generation serves');
  process.kill(following.init, 'SIGTERM');
  t.same(await following.exited, [0, null]);
});

t.test('SIGHUP for which the program has no handler does not end a container after a restart', { skip }, async (t) => {
  const container = new Container(t, { follow: 'auto' }, 'server');
  await container.announced('ready');
  for (let restart = 1; restart <= 2; restart += 1) {
    process.kill(container.init, 'SIGHUP');
    process.kill(container.init, 'SIGUSR2');
    await container.announced('ready', restart + 1);
    await container.announced('closed', restart);
  }
  const { status } = await get({ socketPath: container.socketPath });
  t.equal(status, 200);
  process.kill(container.init, 'SIGTERM');
  t.same(await container.exited, [0, null]);
});
