import { type ChildProcess, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import http from 'node:http';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isAlive } from '../peers/run/processes.js';
import { came } from '../peers/run/wait.js';

const PATIENCE_MS = 60_000;

export type Kind = 'bare' | 'ours';
type Facts = Readonly<Record<string, number>>;

/** A server of the benchmark, with all the processes that follow it. */
export class Server {
  pid: number;
  readonly process: ChildProcess;
  readonly #facts: Facts[] = [];
  readonly #news = new EventEmitter();

  constructor(kind: Kind, env: NodeJS.ProcessEnv = {}) {
    const file = fileURLToPath(new URL(`programs/${kind}.js`, import.meta.url));
    this.process = spawn(process.execPath, ['--expose-gc', file], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    this.pid = this.process.pid!;
    createInterface({ input: this.process.stdout! }).on('line', (line) => {
      this.#facts.push(JSON.parse(line) as Facts);
      this.#news.emit('fact');
    });
  }

  /** What a process has told; waits for it. NaN if it does not come. */
  async fact(name: string, pid = this.pid): Promise<number> {
    const find = (): number | undefined => this.#facts.findLast((facts) => facts['pid'] === pid && facts[name] !== undefined)?.[name];
    await came(() => find() !== undefined, PATIENCE_MS);
    return find() ?? Number.NaN;
  }

  /** Asks the serving process by a signal. */
  async ask(signal: NodeJS.Signals, ...names: readonly string[]): Promise<number[]> {
    const known = this.#facts.length;
    process.kill(this.pid, signal);
    await came(() => this.#facts.slice(known).some((facts) => facts['pid'] === this.pid && facts[names[0]!] !== undefined), PATIENCE_MS);
    return Promise.all(names.map((name) => this.fact(name)));
  }

  /** Milliseconds until a new process answers. */
  async restart(port: number): Promise<number> {
    const [begin, old] = [performance.now(), this.pid];
    process.kill(old, 'SIGUSR2');
    while (this.pid === old) this.pid = await answeringPid(port);
    return performance.now() - begin;
  }

  /** Milliseconds until the process has ended. */
  async stop(): Promise<number> {
    const begin = performance.now();
    process.kill(this.pid, 'SIGTERM');
    await gone(this.pid);
    return performance.now() - begin;
  }

  /** Ends whatever is left. */
  async end(): Promise<void> {
    if (isAlive(this.pid)) process.kill(this.pid, 'SIGKILL');
    await gone(this.pid);
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
  }
}

export async function gone(pid: number): Promise<void> {
  if (!(await came(() => !isAlive(pid), PATIENCE_MS))) throw new Error(`process ${pid} did not end within ${PATIENCE_MS} ms`);
}

/** One request on a connection of its own. */
export function answeringPid(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http
      .get({ port, host: '127.0.0.1', agent: false }, (response) => {
        let text = '';
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('end', () => resolve(Number(/"pid":(\d+)/.exec(text)?.[1])));
      })
      .on('error', reject);
  });
}
