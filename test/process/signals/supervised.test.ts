import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Writable } from 'node:stream';
import t, { type Test } from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { portOf } from '../../support/address.js';
import { get, getBody } from '../../support/http/client.js';
import { type Program, type ProgramOptions, fixture, start } from '../../support/program.js';
import { goodRelease, writeRelease } from '../../support/release.js';
import { scratch } from '../../support/scratch.js';
import { skipUnlessRuns } from '../../support/skip.js';
import { ROOT } from '../../support/sources.js';
import { waitUntil } from '../../support/wait.js';

const FOLLOW = fixture('follow');
const RESTARTS = 2;
const MODULES = join(ROOT, 'node_modules');
const PATH = `${join(MODULES, '.bin')}:${process.env['PATH'] ?? ''}`;
const TYPESCRIPT = `const program: string = ${JSON.stringify(FOLLOW)};\nvoid import(program);\n`;
const PROJECT = { name: 'user', private: true, scripts: { start: `node ${FOLLOW}` } };

interface Supervisor {
  readonly name: string;
  /** Starts `$PROGRAM` by `sh -c`, in a folder with package.json and server.ts. */
  readonly shell: string;
  readonly passed?: ProgramOptions['passed'];
  readonly detached?: boolean;
  readonly skip?: string | false;
  /** Stops the service in the usual way. */
  stop(program: Program, first: number): void;
  /** How it ends then. */
  readonly end: number | NodeJS.Signals;
}

const bySignal = (program: Program): unknown => program.process.kill('SIGTERM');
const SUPERVISORS: readonly Supervisor[] = [
  {
    name: 'a shell that waits',
    shell: '"$NODE" "$PROGRAM"; exit 42',
    stop: (_, first) => process.kill(first, 'SIGTERM'),
    end: 42,
  },
  {
    name: 'a terminal',
    shell: 'exec script --quiet --return --command "exec $NODE $PROGRAM" /dev/null <&3',
    passed: ['pipe'],
    skip: skipUnlessRuns('script', '--version'),
    stop: (program) => (program.process.stdio[3] as Writable).write('\x03'),
    end: 0,
  },
  { name: 'npm start', shell: 'exec npm start', stop: (_, first) => process.kill(first, 'SIGTERM'), end: 0 },
  { name: 'tsx', shell: 'exec tsx server.ts', stop: bySignal, end: 0 },
  {
    name: 'npx tsx, and Ctrl-C',
    // A group of its own, as a shell gives to a job.
    detached: true,
    shell: 'exec npx --offline tsx server.ts',
    stop: (program) => process.kill(-program.pid, 'SIGINT'),
    // npm ends itself by the signal that it got.
    end: 'SIGINT',
  },
  { name: 'node --watch', shell: 'exec "$NODE" --watch "$PROGRAM"', stop: bySignal, end: 0 },
  { name: 'nodemon', shell: 'exec nodemon "$PROGRAM"', stop: bySignal, end: 143 },
];

function startSupervised(t: Test, { shell, passed = [], detached = false }: Supervisor): Program {
  const folder = scratch(t);
  writeFileSync(join(folder, 'package.json'), JSON.stringify(PROJECT));
  writeFileSync(join(folder, 'server.ts'), TYPESCRIPT);
  symlinkSync(MODULES, join(folder, 'node_modules'));
  return start(t, FOLLOW, { shell, passed, detached, cwd: folder, env: { PATH, HOME: folder, npm_config_update_notifier: 'false' } });
}

for (const supervisor of SUPERVISORS) {
  t.test(`SIGUSR2 under ${supervisor.name}: the process that it watches stays`, { skip: supervisor.skip ?? false }, async (t) => {
    const program = startSupervised(t, supervisor);
    const ready = await program.announced('ready');
    const target = { port: portOf(ready) };
    for (let restart = 1; restart <= RESTARTS; restart += 1) {
      process.kill(ready.pid, 'SIGUSR2');
      await program.announced('ready', restart + 1);
      await program.announced('closed', restart);
    }
    const { serving } = program;
    t.not(serving, ready.pid);
    t.ok(isRunning(ready.pid), 'the first process stays');
    t.ok(isRunning(program.pid), 'and what watches it');
    t.equal(program.all('ready').length, RESTARTS + 1, 'the service was not started again');
    const slow = get(target, '/?ms=700');
    t.equal(Number((await get(target)).body), serving, 'the last generation serves');
    supervisor.stop(program, ready.pid);
    t.equal(Number((await slow).body), serving, 'a stop drains it');
    const { code, signal } = await program.exited;
    t.equal(code ?? signal, supervisor.end);
    await waitUntil(
      'the end of all',
      () => program.pids.filter(isRunning).length === 0,
      () => program.report(),
    );
  });
}

t.test('nodemon restarts by SIGUSR2 when a file changes: the new version serves each time', async (t) => {
  const folder = scratch(t);
  const write = (name: string): string => writeRelease(folder, goodRelease(name, '127.0.0.1:0', '', '{ follow: "auto" }'));
  const program = start(t, write('one'), { shell: 'exec nodemon --ext mjs server.mjs', cwd: folder, env: { PATH, HOME: folder } });
  const { pid, addresses } = await program.announced('ready');
  const [address] = addresses as string[];
  for (const name of ['two', 'three', 'four']) {
    write(name);
    await waitUntil(
      `version ${name}`,
      async () => (await getBody(address!)) === name,
      () => program.report(),
    );
  }
  t.ok(isRunning(pid), 'the process that nodemon started stays');
  program.process.kill('SIGTERM');
  await program.exited;
  await waitUntil(
    'the end of all',
    () => program.pids.filter(isRunning).length === 0,
    () => program.report(),
  );
});
