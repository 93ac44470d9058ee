import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Test } from 'tap';
import { scratch } from '../scratch.js';
import { skipUnless, skipUnlessFound, skipUnlessRuns } from '../skip.js';
import { ROOT } from '../sources.js';

const NAMESPACE = ['--net', '--pid', '--fork', '--mount-proc', '--kill-child=KILL'];

/** For a test's `skip`: a network and a process 1 of its own need root. */
export function skipUnlessNamespace(): string | false {
  return (
    skipUnless(() => process.getuid?.() === 0, 'only root can make a namespace') ||
    skipUnlessFound('unshare', 'nsenter', 'ip') ||
    skipUnlessRuns('unshare', ...NAMESPACE, 'true')
  );
}

/** A command in front of another one: without the variables that the test runner adds, and in a folder, as nsenter(1) leaves it. */
function clean(home: string): readonly string[] {
  return ['env', '-i', `--chdir=${home}`, `PATH=${process.env['PATH'] ?? ''}`, `HOME=${home}`];
}

/** A copy of an example, with ts-grace installed, as a user has it. */
export function copyExample(t: Test, name: string): string {
  const folder = join(scratch(t), name);
  cpSync(join(ROOT, 'examples', name), folder, { recursive: true });
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules/ts-grace'));
  return folder;
}

/**
 * A program that is process 1 and has a network of its own, as in a container: ports
 * of other tests are not in its way. All that it has started ends with it.
 */
export class Namespace {
  /** The pid outside of process 1. */
  readonly pid: number;
  readonly exited: Promise<number | null>;
  stderr = '';
  readonly #unshare: ChildProcess;

  private constructor(unshare: ChildProcess, pid: number) {
    this.#unshare = unshare;
    this.pid = pid;
    // unshare(1) ends with the exit code of its child.
    this.exited = once(unshare, 'exit').then(([code]) => code as number | null);
    unshare.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  /** Starts a command as process 1, in a folder. */
  static async start(t: Test, cwd: string, ...command: readonly string[]): Promise<Namespace> {
    const script = 'ip link set lo up && echo up && exec "$@"';
    const unshare = spawn('unshare', [...NAMESPACE, ...clean(cwd), 'sh', '-c', script, 'sh', ...command], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    await once(createInterface({ input: unshare.stdout }), 'line');
    const child = Number(readFileSync(`/proc/${unshare.pid}/task/${unshare.pid}/children`, 'utf8').trim());
    const started = new Namespace(unshare, child);
    t.teardown(async () => {
      unshare.kill('SIGKILL');
      await started.exited;
    });
    return started;
  }

  /** Runs a command in it; fails with what it wrote. */
  async run(cwd: string, ...command: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('nsenter', [...this.#enter, ...clean(cwd), ...command], { cwd });
    return stdout;
  }

  /** Starts a command in it that goes on. */
  spawn(cwd: string, ...command: readonly string[]): ChildProcess {
    return spawn('nsenter', [...this.#enter, ...clean(cwd), ...command], { cwd, stdio: ['pipe', 'pipe', 'inherit'] });
  }

  /** The status and body of an answer to a GET request from inside; status 0 if there is none. */
  async get(url: string): Promise<{ readonly status: number; readonly body: string }> {
    const script = `fetch(${JSON.stringify(url)}, { headers: { connection: 'close' } })
      .then(async (answer) => ({ status: answer.status, body: await answer.text() }))
      .catch(() => ({ status: 0, body: '' }))
      .then((answer) => console.log(JSON.stringify(answer)))`;
    return JSON.parse(await this.run('/', process.execPath, '-e', script)) as { status: number; body: string };
  }

  get #enter(): readonly string[] {
    return ['-t', String(this.pid), '-n', '-p', '-m'];
  }

  /** Whether it still runs. */
  get running(): boolean {
    return this.#unshare.exitCode === null && this.#unshare.signalCode === null;
  }
}
