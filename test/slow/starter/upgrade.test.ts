import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { portsOf } from '../../support/address.js';
import { checkLoad } from '../../support/http/check-load.js';
import { Load } from '../../support/http/load.js';
import { fixture } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';
import { type Starter, ask, plain, run, skipWithoutFlock, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

t.setTimeout(240_000);

const UPGRADES = 10;
const CLIENTS_OF_A_KIND = 2;
/** A machine with few processors starts a start_server, a command and the workers all at once. */
const LONGEST_WAIT_MS = 12_000;
/** Longer than a deploy and an upgrade right after it take on a busy machine. */
const KILL_TIMEOUT_S = 6;
/** Longer, so that a connection that a drain forgot is noticed. */
const IDLE_TIMEOUT_MS = 15_000;

function pidOf(starter: Starter): number {
  return Number(readFileSync(starter.pidFile, 'utf8'));
}

interface Status {
  readonly pid: number;
  readonly workers: readonly { readonly pid: number; readonly state: string; readonly startedAt: number }[];
}

function statusOf(starter: Starter): Status {
  return JSON.parse(readFileSync(`${starter.statusFile}.json`, 'utf8')) as Status;
}

/** Ends what replaced the program that the test started. */
function endOf(t: Test, starter: Starter): void {
  t.teardown(async () => {
    if (existsSync(starter.pidFile)) await starter.command('--stop');
  });
}

t.test(
  `${UPGRADES} upgrades under load: no request is lost, no worker restarted, pid file and status are true`,
  { skip: skipWithoutFlock },
  async (t) => {
    const folder = scratch(t);
    const [socketPath, log] = [join(folder, 'app.sock'), join(folder, 'log')];
    const server = [
      process.execPath,
      fixture('server'),
      JSON.stringify({ http: [':1', `unix:${socketPath}`], idleTimeout: IDLE_TIMEOUT_MS }),
    ];
    const args = ['--port=127.0.0.1:0', `--path=${socketPath}`, '--workers=2', '--interval=0.3', `--log-file=| tee ${log}`];
    const starter = startStarter(t, [...args, '--', ...server]);
    endOf(t, starter);
    await starter.program.announced('ready', 2);
    const first = starter.program.all('ready').map(({ pid }) => pid);
    await waitUntil('both', () => starter.status().split('\n').length === 3);
    const [port] = portsOf(starter.program.all('ready')[0]!);
    const load = new Load([{ port: port! }, { socketPath }], CLIENTS_OF_A_KIND);
    await load.answeredBy(first);
    const workers = statusOf(starter).workers;
    const pids = [starter.pid];
    for (let upgrade = 1; upgrade <= UPGRADES; upgrade += 1) {
      const { code, stdout, stderr } = await starter.command('--upgrade');
      t.equal(code, 0, stderr);
      t.match(stdout, new RegExp(`^process ${pidOf(starter)} has replaced start_server \\(process ${pids.at(-1)}\\), 2 workers go on`));
      t.notOk(isRunning(pids.at(-1)!), 'the old one has exited');
      pids.push(pidOf(starter));
      t.same(statusOf(starter).workers, workers, 'the same workers since the same time');
      t.equal(statusOf(starter).pid, pids.at(-1));
      t.ok(existsSync(socketPath));
    }
    t.equal(new Set(pids).size, UPGRADES + 1);
    t.match(await starter.command('--restart'), { code: 0 }, 'the last one deploys');
    await starter.program.announced('ready', 4);
    const second = starter.program
      .all('ready')
      .slice(2)
      .map(({ pid }) => pid);
    await load.answeredBy(second);
    checkLoad(t, await load.stop(), [first, second], LONGEST_WAIT_MS);
    t.match(readFileSync(log, 'utf8'), /has taken over\n[^]*killing old workers/, 'the log command reads on');
    t.match(await starter.command('--stop'), { code: 0 });
    await starter.program.ended();
    t.notOk([starter.pidFile, starter.statusFile, `${starter.statusFile}.json`, socketPath].some(existsSync), 'no file is left');
  },
);

t.test('a worker that dies after an upgrade is replaced; SIGTERM ends the others', { skip: skipWithoutFlock }, async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.2', '--', ...plain()], { env: { TERM_AFTER: '0.3' } });
  endOf(t, starter);
  const first = await starter.program.announced('ready');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  t.match(await starter.command('--upgrade'), { code: 0 });
  const port = (first['sockets'] as { port: number }[])[0]!.port;
  t.same(await ask(port), [first.pid, 1]);
  process.kill(first.pid, 'SIGKILL');
  await starter.said(`worker ${first.pid} died unexpectedly with status:unknown, restarting`);
  const second = await starter.program.announced('ready', 2);
  t.same(await ask(port), [second.pid, 2]);
  process.kill(pidOf(starter), 'SIGTERM');
  await starter.said(`worker ${second.pid} died, status:0`);
  await starter.program.ended();
});

/** Upgrades right after a deploy, whose old worker ignores SIGTERM and is to be killed later. */
async function upgradedInDeploy(t: Test): Promise<{ starter: Starter; killed: RegExp }> {
  const folder = scratch(t);
  const ignoreTerm = join(folder, 'IGNORE_TERM');
  writeFileSync(ignoreTerm, '1');
  const args = ['--port=127.0.0.1:0', '--interval=0.1', `--kill-timeout=${KILL_TIMEOUT_S}`, `--envdir=${folder}`];
  const starter = startStarter(t, [...args, '--', ...plain()]);
  endOf(t, starter);
  const { pid } = await starter.program.announced('ready');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  rmSync(ignoreTerm);
  starter.signal('SIGHUP');
  t.match(await starter.program.announced('signal'), { pid, signal: 'SIGTERM' });
  t.match(await starter.command('--upgrade'), { code: 0, stdout: /, 2 workers go on/ });
  return { starter, killed: new RegExp(`^worker ${pid} has not exited within ${KILL_TIMEOUT_S} seconds, sending KILL$`, 'm') };
}

t.test('--kill-timeout: upgrades do not put off the end of a worker that ignores SIGTERM', { skip: skipWithoutFlock }, async (t) => {
  const { starter, killed } = await upgradedInDeploy(t);
  await waitUntil(
    'its end',
    async () => {
      if (killed.test(starter.program.stderr)) return true;
      await starter.command('--upgrade');
      return false;
    },
    () => starter.program.report(),
  );
  await starter.said(/^old worker \d+ died, status:unknown$/);
});

t.test('--kill-timeout: after an upgrade, a stop ends that worker too', { skip: skipWithoutFlock }, async (t) => {
  const { starter, killed } = await upgradedInDeploy(t);
  t.match(await starter.command('--stop'), { code: 0 });
  await starter.program.ended();
  t.match(starter.program.stderr, killed);
});

t.test('a new version that does not start: the old one goes on, and --upgrade says why', { skip: skipWithoutFlock }, async (t) => {
  const folder = scratch(t);
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.2', `--envdir=${folder}`, '--', ...plain()]);
  endOf(t, starter);
  const first = await starter.program.announced('ready');
  await waitUntil('generation 1', () => starter.status().startsWith('1:'));
  // The new start_server reads the envdir before anything else; the old one reads it only for a worker.
  writeFileSync(join(folder, 'AUTO_RESTART_INTERVAL'), 'often');
  const failed = await starter.command('--upgrade');
  t.match(failed, { code: 1, stderr: /was not replaced: AUTO_RESTART_INTERVAL="often", expected a number of seconds\n$/ });
  await starter.said('start_server was not replaced: ');
  t.equal(pidOf(starter), starter.pid);
  t.same(await ask((first['sockets'] as { port: number }[])[0]!.port), [first.pid, 1]);
  writeFileSync(join(folder, 'AUTO_RESTART_INTERVAL'), '100');
  t.match(await starter.command('--restart'), { code: 0 }, 'it still deploys');
  t.match(await starter.command('--upgrade'), { code: 0 }, 'and the next upgrade works');
  t.not(pidOf(starter), starter.pid);
});

t.test('without a pid file and systemd it refuses: what watches the pid would see it exit', async (t) => {
  const folder = scratch(t);
  const starter = startStarter(t, ['--interval=0.1', '--', ...plain()], {
    shell: `exec "$NODE" "$PROGRAM" --status-file=${folder}/status --interval=0.1 -- ${plain().join(' ')}`,
  });
  await starter.program.announced('ready');
  starter.signal('SIGUSR2');
  await starter.said(
    'start_server was not replaced: without --pid-file and Type=notify, nobody would learn that another process is start_server now',
  );
  t.match(await starter.stop(), { code: 0 });
  t.match(await run(['--upgrade', `--pid-file=${folder}/none`, `--status-file=${folder}/status`]), {
    code: 1,
    stderr: /failed to open file/,
  });
});
