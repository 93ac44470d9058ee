import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isRunning } from '../../lib/process-table.js';
import { processesWith } from '../support/proc.js';
import { exchange } from './clients.js';
import { type Release, writeProgram } from './program.js';

const SERVES_WITHIN_MS = 10_000;
/** A restart begins within this time. */
const SETTLED_MS = 500;
/** What a folder holds in which nothing was left behind. */
const FILES = ['app.pid', 'app.sock', 'log', 'node_modules', 'server.mjs'];

/** A service in a folder of its own: every process of it, whatever started it. */
export class Deployment {
  readonly folder: string;
  readonly port: number;
  /** Milliseconds for which an old process stands by after a restart; 0 if it does not. */
  readonly probation: number;

  constructor(folder: string, port: number, probation: number) {
    this.folder = folder;
    this.port = port;
    this.probation = probation;
  }

  /** Puts a release in place; no process is touched. */
  write(release: Release): void {
    writeProgram(this.folder, release, this.probation);
  }

  get targets(): readonly [{ host: string; port: number }, { socketPath: string }] {
    return [{ host: '127.0.0.1', port: this.port }, { socketPath: join(this.folder, 'app.sock') }];
  }

  /** Pids of all processes that run the program. */
  get processes(): readonly number[] {
    return processesWith(join(this.folder, 'server.mjs')).filter(isRunning);
  }

  /** The pid in the pid file; undefined if there is no such file. */
  get pid(): number | undefined {
    const path = join(this.folder, 'app.pid');
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : undefined;
  }

  /** Files that a run should not have left. */
  get strayFiles(): readonly string[] {
    return readdirSync(this.folder).filter((name) => !FILES.includes(name));
  }

  get log(): string {
    return readFileSync(join(this.folder, 'log'), 'utf8');
  }

  async start(): Promise<void> {
    const log = openSync(join(this.folder, 'log'), 'a');
    const program = join(this.folder, 'server.mjs');
    const env = { PATH: process.env['PATH'], PWD: this.folder };
    spawn(process.execPath, [program, String(this.port)], { cwd: this.folder, env, stdio: ['ignore', log, log], detached: true }).unref();
    closeSync(log);
    await this.serving();
  }

  /** Waits until one process answers on both addresses and is the one in the pid file; fails if that does not come. */
  async serving(): Promise<number> {
    const end = performance.now() + SERVES_WITHIN_MS;
    let seen = 'nothing';
    while (performance.now() < end) {
      const pids = await Promise.all(this.targets.map((target) => exchange({ ...target, agent: false }).catch(String)));
      const [first] = pids;
      if (typeof first === 'number' && pids.every((pid) => pid === first) && this.pid === first) return first;
      seen = `answers of ${pids.join(' and ')}, pid file ${this.pid}`;
      await sleep(50);
    }
    throw new Error(`no process serves on both addresses: ${seen}`);
  }

  /** Waits until no process is left, or one serves; says which. A successor whose predecessor was killed may end a moment later. */
  async endedAll(): Promise<boolean> {
    let looked = false;
    void this.serving()
      .catch(() => undefined)
      .finally(() => {
        looked = true;
      });
    while (!looked && this.processes.length > 0) await sleep(20);
    return this.processes.length === 0;
  }

  /** Waits until restarts that an earlier fault began are over: one process is left, and stays the only one. */
  async settled(): Promise<number> {
    const end = performance.now() + SERVES_WITHIN_MS;
    let since = performance.now();
    let last: readonly number[] = [];
    while (performance.now() < end) {
      const { processes } = this;
      if (processes.length !== 1 || processes[0] !== last[0]) since = performance.now();
      if (performance.now() - since > SETTLED_MS) return this.serving();
      last = processes;
      await sleep(20);
    }
    throw new Error(`not one process is left: ${last.join(', ')}`);
  }

  async kill(): Promise<void> {
    while (this.processes.length > 0) {
      for (const pid of this.processes) signal(pid, 'SIGKILL');
      await sleep(10);
    }
  }
}

/** Sends a signal to a process that may have ended. */
export function signal(pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name);
  } catch {
    // it has ended
  }
}
