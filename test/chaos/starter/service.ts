import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, closeSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../../../lib/process-table.js';
import { processesWith } from '../../support/proc.js';
import { signal } from '../deployment.js';

/** Seconds. */
const INTERVAL = 0.4;
const READY_TIMEOUT = 20;
const SETTLED_WITHIN_MS = 25_000;

/** What start_server says in its status file. */
interface Status {
  readonly pid: number;
  readonly deploying: boolean;
  readonly workers: readonly { readonly pid: number; readonly state: string }[];
}

/** A start_server with workers, in a folder of its own. */
export class Service {
  readonly folder: string;
  readonly port: number;
  readonly workers: number;
  readonly #command: readonly string[];

  /** @param main - the command start_server */
  constructor(folder: string, port: number, workers: number, main: string) {
    this.folder = folder;
    this.port = port;
    this.workers = workers;
    mkdirSync(join(folder, 'env'));
    writeFileSync(join(folder, 'server.mjs'), PROGRAM);
    const options = [
      `--port=127.0.0.1:${port}`,
      '--path=app.sock',
      `--workers=${workers}`,
      `--interval=${INTERVAL}`,
      `--ready-timeout=${READY_TIMEOUT}`,
    ];
    const files = ['--pid-file=pid', '--status-file=status', '--envdir=env', '--log-file=log'];
    this.#command = [main, ...options, ...files, '--', process.execPath, join(folder, 'server.mjs'), String(port)];
  }

  get targets(): readonly [{ host: string; port: number }, { socketPath: string }] {
    return [{ host: '127.0.0.1', port: this.port }, { socketPath: join(this.folder, 'app.sock') }];
  }

  /** Pid of start_server; undefined if there is no pid file. */
  get pid(): number | undefined {
    const path = join(this.folder, 'pid');
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
  }

  get status(): Status | undefined {
    try {
      return JSON.parse(readFileSync(join(this.folder, 'status.json'), 'utf8')) as Status;
    } catch {
      return undefined;
    }
  }

  get serving(): readonly number[] {
    return (this.status?.workers ?? []).filter(({ state }) => state === 'serving').map(({ pid }) => pid);
  }

  /** All processes of the service. */
  get processes(): readonly number[] {
    return processesWith(join(this.folder, 'server.mjs')).filter(isRunning);
  }

  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  get strayFiles(): readonly string[] {
    return readdirSync(this.folder).filter((name) => !['env', 'log', 'output', 'node_modules', 'server.mjs'].includes(name));
  }

  /** What the next worker does; undefined: it works. */
  break(how: string | undefined): void {
    const file = join(this.folder, 'env', 'BREAK');
    if (how === undefined) rmSync(file, { force: true });
    else writeFileSync(file, how);
  }

  async start(): Promise<void> {
    const output = openSync(join(this.folder, 'output'), 'a');
    const env = { PATH: process.env['PATH'], PWD: this.folder };
    spawn(process.execPath, this.#command, { cwd: this.folder, env, stdio: ['ignore', output, output], detached: true }).unref();
    closeSync(output);
    await this.settled();
  }

  /** Waits until the right number of workers serves and nothing else runs; fails if that does not come. */
  async settled(): Promise<void> {
    const end = performance.now() + SETTLED_WITHIN_MS;
    const isSettled = (): boolean => {
      const { pid, status, serving, processes } = this;
      const expected = [...serving, pid].sort();
      return (
        status !== undefined &&
        status.pid === pid &&
        !status.deploying &&
        serving.length === this.workers &&
        String(expected) === String([...processes].sort())
      );
    };
    while (!isSettled()) {
      if (performance.now() > end) {
        throw new Error(
          `expected ${this.workers} workers; processes ${this.processes}, pid file ${this.pid}, status ${JSON.stringify(this.status)}`,
        );
      }
      await sleep(20);
    }
  }

  async kill(): Promise<void> {
    while (this.processes.length > 0) {
      for (const pid of this.processes) signal(pid, 'SIGKILL');
      await sleep(10);
    }
  }
}

/** What a worker does by the file BREAK in the envdir. */
const PROGRAM = `
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { App } from 'ts-grace/gracehttp';

const { BREAK } = process.env;
if (BREAK === 'exits') process.exit(7);
if (BREAK === 'throws') throw new Error('no database');
if (BREAK === 'kills itself') process.kill(process.pid, 'SIGKILL');
const app = new App({ drainTimeout: 6_000, idleTimeout: 1_000 });
const handler = (request, response) => answer(request, response).catch(() => response.destroy());
const answer = async (request, response) => {
  const url = new URL(request.url, 'http://localhost');
  response.setHeader('x-pid', process.pid);
  for await (const _ of request);
  await sleep(Number(url.searchParams.get('ms') ?? 0));
  response.end(url.pathname === '/large' ? 'x'.repeat(1_000_000) : 'answered');
};
if (BREAK === 'dies when it is ready') app.on('ready', () => process.exit(3));
await app.serve(
  { server: http.createServer(handler), listen: '127.0.0.1:' + process.argv[2], name: 'tcp' },
  { server: http.createServer(handler), listen: 'unix:app.sock', name: 'unix' },
);
`;
