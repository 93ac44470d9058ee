import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { getBody } from '../../support/http/client.js';
import { type Program, fixture, start } from '../../support/program.js';
import { writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { NotifyRecorder } from '../../support/systemd/notify-recorder.js';
import { waitUntil } from '../../support/wait.js';

/** A request that is in flight during a whole restart. */
const SLOW_MS = 2_000;
const SERVER = `await import('${fixture('server')}');\n`;

interface Service {
  readonly program: Program;
  readonly notify: NotifyRecorder;
  /** Where writeRelease() puts the next release. */
  readonly folder: string;
  readonly socketPath: string;
}

async function startService(t: Test, options: object = {}, env: Readonly<Record<string, string>> = {}): Promise<Service> {
  const folder = scratch(t);
  const notify = new NotifyRecorder(folder);
  const socketPath = join(folder, 'app.sock');
  const argument = JSON.stringify({ http: [`unix:${socketPath}`], ...options });
  const program = start(t, writeRelease(folder, SERVER), { args: [argument], env: { ...notify.env, ...env } });
  await program.announced('ready');
  return { program, notify, folder, socketPath };
}

async function stop(program: Program): Promise<void> {
  // A successor tells its predecessor that it is ready before it tells the test.
  await program.announced('ready', program.all('restarted').length + 1);
  process.kill(program.serving, 'SIGTERM');
  await program.ended();
}

t.test('what systemd is told during start, restart and stop', async (t) => {
  const { program, notify, socketPath } = await startService(t);
  const first = program.pid;
  await waitUntil('READY', () => notify.all.length === 1);
  t.same(notify.all, [{ pid: first, fields: { READY: '1', STATUS: `generation 1 serves unix:${socketPath}` } }]);

  const before = process.hrtime.bigint() / 1_000n;
  const slow = getBody(`unix:${socketPath}`, `/?ms=${SLOW_MS}`);
  await getBody(`unix:${socketPath}`);
  process.kill(first, 'SIGUSR2');
  const { successor } = await program.announced('restarted');
  t.equal(await slow, `slept ${SLOW_MS}`);
  await program.announced('closed');
  const [, reloading, handedOver, ...rest] = notify.all;
  t.match(reloading, { pid: first, fields: { RELOADING: '1', STATUS: 'generation 1 serves, generation 2 is being started' } });
  const stamp = BigInt(reloading?.fields['MONOTONIC_USEC'] ?? 0);
  t.ok(stamp >= before && stamp <= process.hrtime.bigint() / 1_000n, 'microseconds of CLOCK_MONOTONIC, after the signal');
  t.same(handedOver, {
    pid: first,
    fields: {
      MAINPID: String(successor),
      READY: '1',
      STATUS: 'generation 2 serves, generation 1 handed over and drains 1 open connection',
    },
  });
  t.same(rest, [], 'the successor leaves that to its predecessor');
  t.notMatch(readFileSync(`/proc/${successor}/status`, 'utf8'), `PPid:\t${first}\n`, 'the successor is not its child');

  const last = getBody(`unix:${socketPath}`, `/?ms=${SLOW_MS}`);
  await getBody(`unix:${socketPath}`);
  await stop(program);
  t.equal(await last, `slept ${SLOW_MS}`);
  const [stopping, draining] = notify.all.slice(3);
  t.same(stopping, { pid: successor, fields: { STOPPING: '1' } });
  t.same(draining?.fields['STATUS'], 'generation 2 stops and drains 1 open connection');
  t.ok(Number(draining?.fields['EXTEND_TIMEOUT_USEC']) > 5_000_000);
  t.equal(notify.all.length, 5);
});

t.test('restarts that fail', async (t) => {
  const { program, notify, folder, socketPath } = await startService(t, { restartTimeout: 1_500 });
  const cases = [
    ['throws', `throw new Error('broken');`, 1, /exited with code 1 before it was ready; the end of its stderr:.*Error: broken/s],
    ['exits', `process.exit(7);`, 7, /exited with code 7 before it was ready$/],
    ['is killed', `process.kill(process.pid, 'SIGKILL');`, undefined, /exited with an unknown code before it was ready$/],
    ['hangs', `process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000);`, undefined, /was not ready within 1500 ms$/],
  ] as const;
  for (const [index, [what, text, code, message]] of cases.entries()) {
    writeRelease(folder, text);
    process.kill(program.pid, 'SIGUSR2');
    const failed = await program.announced('restart-failed', index + 1);
    t.match(failed['message'], message, what);
    t.equal(failed['exitCode'], code);
    await waitUntil('READY', () => notify.with('READY').length === index + 2);
    const { fields } = notify.with('READY').at(-1)!;
    t.match(fields['STATUS'], /^restart failed, this process keeps serving: the successor/);
    const pid = Number(/process (\d+)/.exec(String(failed['message']))?.[1]);
    t.ok(pid > 0 && !isRunning(pid), `nothing is left of process ${pid}`);
    t.equal(await getBody(`unix:${socketPath}`), 'slept 0');
  }
  writeRelease(folder, SERVER);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('restarted');
  await stop(program);
  t.same(
    notify.with('MAINPID').map(({ fields }) => Number(fields['MAINPID'])),
    [program.serving],
  );
});

t.test('a successor that cannot be started', async (t) => {
  const folder = scratch(t);
  const notify = new NotifyRecorder(folder);
  const path = writeRelease(folder, `process.execPath = '/nonexistent/node';\n${SERVER}`);
  const argument = JSON.stringify({ http: [`unix:${folder}/app.sock`] });
  const program = start(t, path, { args: [argument], env: notify.env });
  await program.announced('ready');
  process.kill(program.pid, 'SIGUSR2');
  const { code, message } = await program.announced('restart-failed');
  t.equal(code, 'RESTART_FAILED');
  t.match(message, /process unknown/);
  await stop(program);
});

t.test('what a process inherits stays its own', async (t) => {
  const names = ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID'];
  const folder = scratch(t);
  const notify = new NotifyRecorder(folder);
  const print = `console.log(JSON.stringify({ event: 'child', pid: process.pid, names: Object.keys(process.env) }))`;
  const path = writeRelease(
    folder,
    `${SERVER}
import { execFileSync } from 'node:child_process';
execFileSync(process.execPath, ['-e', ${JSON.stringify(print)}], { stdio: 'inherit' });\n`,
  );
  const argument = JSON.stringify({ http: [`unix:${folder}/app.sock`] });
  const env = { ...notify.env, WATCHDOG_USEC: '60000000' };
  const program = start(t, path, { args: [argument], env });
  await program.announced('child');
  process.kill(program.pid, 'SIGUSR2');
  const { names: seen } = await program.announced('child', 2);
  t.same(
    names.filter((name) => (seen as string[]).includes(name)),
    [],
    'a program that it starts gets no variable',
  );
  t.ok((seen as string[]).includes('PATH'));
  t.notOk((seen as string[]).some((name) => name.startsWith('GRACE_') || name === 'NODE_OPTIONS'));
  await program.announced('closed');
  const { successor } = program.all('restarted')[0]!;
  await waitUntil('watchdog messages of the successor', () => notify.with('WATCHDOG').some(({ pid }) => pid === successor));
  await stop(program);
});

t.test('the process that serves feeds the watchdog', async (t) => {
  const { program, notify } = await startService(t, {}, { WATCHDOG_USEC: '200000' });
  const signs = (from: number): number => notify.with('WATCHDOG').filter(({ pid }) => pid === from).length;
  await waitUntil('watchdog messages', () => signs(program.pid) >= 3);
  process.kill(program.pid, 'SIGUSR2');
  const { successor } = await program.announced('restarted');
  await waitUntil('watchdog messages of the successor', () => signs(successor as number) >= 3);
  t.pass('the first process, then its successor');
  await stop(program);
});

t.test('WATCHDOG_PID of another process means no watchdog', async (t) => {
  const { program, notify, socketPath } = await startService(t, {}, { WATCHDOG_USEC: '1000', WATCHDOG_PID: '1' });
  await getBody(`unix:${socketPath}`, '/?ms=100');
  t.same(notify.with('WATCHDOG'), []);
  await stop(program);
});

t.test('invalid variables are errors that name them', async (t) => {
  for (const [name, value] of [
    ['WATCHDOG_USEC', 'soon'],
    ['WATCHDOG_USEC', '0'],
    ['WATCHDOG_PID', '-1'],
  ] as const) {
    const folder = scratch(t);
    const path = writeRelease(folder, SERVER);
    const env = { ...new NotifyRecorder(folder).env, WATCHDOG_USEC: '1000000', [name]: value };
    const program = start(t, path, { args: [JSON.stringify({ http: [`unix:${folder}/app.sock`] })], env });
    const error = await program.announced('error');
    t.match(error, { name: 'GraceError', code: 'INHERITANCE_INVALID', subject: name, value });
    t.same(await program.exited, { code: 1, signal: null });
  }
});

t.test('repeated SIGTERM cuts off nothing in a process that handed over', async (t) => {
  const { program, notify, socketPath } = await startService(t);
  const slow = getBody(`unix:${socketPath}`, '/?ms=1500');
  await getBody(`unix:${socketPath}`);
  process.kill(program.pid, 'SIGUSR2');
  await program.announced('draining');
  for (let count = 1; count <= 3; count += 1) {
    process.kill(program.pid, 'SIGTERM');
    await waitUntil('a request for more time', () => notify.with('EXTEND_TIMEOUT_USEC').length >= count);
  }
  t.equal(await slow, 'slept 1500');
  await stop(program);
  t.same(
    program.all('closed').map(({ code }) => code),
    [0, 0],
  );
});

t.test('repeated SIGTERM cuts off nothing in a process that stops, but a second SIGINT ends it at once', async (t) => {
  const { program, notify, socketPath } = await startService(t);
  const slow = getBody(`unix:${socketPath}`, '/?ms=1000');
  await getBody(`unix:${socketPath}`);
  for (let count = 1; count <= 3; count += 1) {
    process.kill(program.pid, 'SIGTERM');
    await waitUntil('a request for more time', () => notify.with('EXTEND_TIMEOUT_USEC').length >= count);
  }
  t.equal(await slow, 'slept 1000');
  t.same(await program.exited, { code: 0, signal: null });

  const second = await startService(t);
  const lost = t.rejects(getBody(`unix:${second.socketPath}`, '/?ms=20000'));
  await getBody(`unix:${second.socketPath}`);
  process.kill(second.program.pid, 'SIGINT');
  await second.program.announced('draining');
  await second.program.insist('SIGINT');
  t.same(await second.program.exited, { code: 130, signal: null });
  await lost;
});

/** Starts a service with another program in place of `systemd-notify`; undefined: without one. */
async function startWith(t: Test, script: string | undefined): Promise<{ program: Program; address: string }> {
  const folder = scratch(t);
  const { env } = new NotifyRecorder(folder, script);
  const address = `unix:${join(folder, 'app.sock')}`;
  const argument = JSON.stringify({ http: [address], drainTimeout: 2_500 });
  const path = script === undefined ? { PATH: folder } : {};
  const program = start(t, writeRelease(folder, SERVER), { args: [argument], env: { ...env, ...path } });
  await program.announced('ready');
  return { program, address };
}

t.test('without systemd-notify there is a warning at the start, and a restart is refused', async (t) => {
  for (const [what, script, reason] of [
    ['it is missing', undefined, 'spawn systemd-notify ENOENT'],
    ['systemd does not listen', '#!/bin/sh\nexit 1\n', 'systemd-notify ended with 1'],
  ] as const) {
    const { program, address } = await startWith(t, script);
    await waitUntil('the warning', () => program.stderr.includes('\n'));
    t.equal(
      program.stderr,
      `ts-grace[${program.pid}]: warning: systemd was not told READY=1, so it will end the service, and a restart is not possible: ${reason}\n`,
    );
    process.kill(program.pid, 'SIGUSR2');
    const { code, message } = await program.announced('restart-failed');
    t.equal(code, 'RESTART_FAILED', what);
    t.equal(
      message,
      `restart failed, this process keeps serving: systemd cannot be told the new main process, and would end the service: ${reason}`,
    );
    t.equal(await getBody(address), 'slept 0', `${what}: it serves`);
    process.kill(program.pid, 'SIGTERM');
    t.same(await program.exited, { code: 0, signal: null });
    t.strictSame(program.pids, [program.pid], 'no successor was started');
  }
});

t.test('a notify socket that does not answer delays no stop', async (t) => {
  const { program, address } = await startWith(t, '#!/bin/sh\nexec sleep 60\n');
  t.equal(await getBody(address), 'slept 0');
  process.kill(program.pid, 'SIGTERM');
  t.same(await program.exited, { code: 0, signal: null });
});

t.test('systemd that does not read the new main process: a warning', async (t) => {
  const { program, address } = await startWith(t, '#!/bin/sh\ncase "$*" in *MAINPID*) exit 1;; esac\n');
  process.kill(program.pid, 'SIGUSR2');
  const { successor } = await program.announced('restarted');
  await program.announced('closed');
  await program.logged(`warning: systemd was not told MAINPID=${successor} READY=1, so it will end the service`);
  t.equal(await getBody(address), 'slept 0', 'its successor serves');
  await stop(program);
});
