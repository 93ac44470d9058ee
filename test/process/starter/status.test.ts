import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import t from 'tap';
import { isRunning } from '../../../lib/process-table.js';
import { scratch } from '../../support/scratch.js';
import { skipUnlessFound } from '../../support/skip.js';
import { MAIN, type Starter, plain, skipWithoutFlock, startStarter } from '../../support/starter.js';
import { waitUntil } from '../../support/wait.js';

/** Other tests may keep the processors busy. */
t.setTimeout(110_000);

const COMMAND = ['--', ...plain()];

interface Line {
  readonly generation: number;
  readonly deploying: boolean;
  readonly workers: readonly { readonly generation: number; readonly state: string }[];
}

function serving(starter: Starter): number {
  return starter.status().split('\n').length - 1;
}

t.test(
  '--status --watch --json: one line of JSON for each change, until start_server has stopped',
  { skip: skipWithoutFlock },
  async (t) => {
    const starter = startStarter(t, ['--interval=0.1', ...COMMAND], { env: { TERM_AFTER: '1.5' } });
    await starter.program.announced('ready');
    await waitUntil('generation 1', () => serving(starter) === 1);
    const files = [`--pid-file=${starter.pidFile}`, `--status-file=${starter.statusFile}`];
    const watch = spawn(process.execPath, [MAIN, '--status', '--watch', '--json', ...files], { stdio: ['ignore', 'pipe', 'pipe'] });
    t.teardown(() => watch.kill('SIGKILL'));
    const exited = once(watch, 'exit');
    const [lines, errors]: [Line[], string[]] = [[], []];
    createInterface({ input: watch.stdout }).on('line', (line) => lines.push(JSON.parse(line) as Line));
    createInterface({ input: watch.stderr }).on('line', (line) => errors.push(line));
    await waitUntil('the first line', () => lines.length > 0);
    t.match(lines[0], { generation: 1, workers: [{ generation: 1, state: 'serving' }] });
    starter.signal('SIGHUP');
    await waitUntil('the old worker that drains', () => lines.some(({ workers }) => workers.some(({ state }) => state === 'draining')));
    await waitUntil('the end of the deploy', () => lines.at(-1)!.workers.length === 1 && lines.at(-1)!.generation === 2);
    const texts = lines.map((line) => JSON.stringify(line));
    t.ok(
      texts.every((text, index) => text !== texts[index - 1]),
      'no line twice in a row',
    );
    await starter.stop();
    t.same(await exited, [1, null]);
    t.match(errors.join('\n'), /^start_server: /, 'it says why it ends');
  },
);

t.test('--restart --json and --upgrade --json', { skip: skipWithoutFlock }, async (t) => {
  const starter = startStarter(t, ['--port=127.0.0.1:0', '--interval=0.1', ...COMMAND]);
  t.teardown(() => starter.command('--stop'));
  await starter.program.announced('ready');
  await waitUntil('generation 1', () => serving(starter) === 1);
  const restarted = JSON.parse((await starter.command('--restart', '--json')).stdout) as object;
  t.match(restarted, { generation: 2, up: true, oldPids: [], elapsed: Number });
  const { pid } = await starter.program.announced('ready', 2);
  const upgraded = JSON.parse((await starter.command('--upgrade', '--json')).stdout) as { readonly pid: number };
  t.match(upgraded, { before: starter.pid, pid: Number, elapsed: Number, workers: [{ pid, generation: 2, state: 'serving' }] });
  t.ok(isRunning(upgraded.pid));
});

t.test('--workers=auto: one for each processor that it may use', { skip: skipUnlessFound('taskset') }, async (t) => {
  for (const processors of [allowedProcessors().slice(0, 1), allowedProcessors().slice(0, 2)]) {
    const folder = scratch(t);
    const options = `--interval=0.1 --workers=auto --status-file=${folder}/status`;
    const shell = `exec taskset -c ${processors.join(',')} "$NODE" "$PROGRAM" ${options} -- ${plain().join(' ')}`;
    const starter = startStarter(t, [], { shell, folder });
    await starter.program.announced('ready', processors.length);
    starter.signal('SIGHUP');
    await waitUntil(
      'the end of the deploy',
      () => starter.messages.filter((line) => /^old worker \d+ died/.test(line)).length === processors.length,
    );
    const started = starter.messages.filter((line) => line.startsWith('starting new worker'));
    t.equal(started.length, 2 * processors.length, `${processors.length} workers before the deploy, and as many after it`);
    await starter.stop();
  }
});

/** The numbers of the processors that this process may use: `0-3,8` in proc(5). */
function allowedProcessors(): number[] {
  const list = /^Cpus_allowed_list:\s*(.+)$/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!;
  return list.split(',').flatMap((range) => {
    const [first = 0, last = first] = range.split('-').map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
