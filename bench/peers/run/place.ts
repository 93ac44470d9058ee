import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, openSync, closeSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isAlive, processesOf } from './processes.js';
import { came } from './wait.js';

const PATIENCE_MS = 15_000;
/** The measurement is over: what has not ended by then is killed. */
const STOP_MS = 300;
const LAST_CHARACTERS = 2_000;

/** Where one turn of one system runs: a port, a folder for its files, and all the processes that it starts. */
export class Place {
  readonly port: number;
  readonly folder: string;
  readonly #log: string;
  readonly #sessions = new Set<number>();

  private constructor(port: number) {
    this.port = port;
    this.folder = mkdtempSync(join(tmpdir(), 'bench-peers-'));
    this.#log = join(this.folder, 'log');
    writeFileSync(this.#log, '');
  }

  static async make(): Promise<Place> {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as net.AddressInfo;
    await once(server.close(), 'close');
    return new Place(port);
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): string {
    mkdirSync(join(this.path(name), '..'), { recursive: true });
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** Starts a program in a session of its own, by which all its processes are found. It gets `PORT`. */
  spawn(command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
    const log = openSync(this.#log, 'a');
    const child = spawn(command, args, {
      cwd: this.folder,
      detached: true,
      env: { ...process.env, PORT: String(this.port), ...env },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    child.on('error', (error) => writeFileSync(this.#log, `${error.message}\n`, { flag: 'a' }));
    if (child.pid !== undefined) this.#sessions.add(child.pid);
    return child;
  }

  /** A daemon that the system has started: it has left the session. */
  addSession(pid: number): void {
    this.#sessions.add(pid);
  }

  /** Resident memory of all processes, in MiB. Memory that they share counts once for each. */
  memory(): number {
    return processesOf(this.#sessions).memory;
  }

  /** All processes that run here. */
  pids(): ReadonlySet<number> {
    return new Set(processesOf(this.#sessions).pids);
  }

  /** Waits for an answer of a process that is not one of `old`. Returns its pid. */
  async answer(old: ReadonlySet<number> = new Set()): Promise<number> {
    let pid = 0;
    const answers = async (): Promise<boolean> => {
      pid = await answeringPid(this.port);
      return pid !== 0 && !old.has(pid);
    };
    if (!(await came(answers, PATIENCE_MS))) throw new Error(`no answer within ${PATIENCE_MS} ms\n${this.#lastLines()}`);
    return pid;
  }

  /** Ends all that was started here. */
  async end(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const pid of processesOf(this.#sessions).pids) if (isAlive(pid)) process.kill(pid, signal);
      if (await came(() => processesOf(this.#sessions).pids.length === 0, signal === 'SIGTERM' ? STOP_MS : PATIENCE_MS)) break;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  #lastLines(): string {
    return readFileSync(this.#log, 'utf8').slice(-LAST_CHARACTERS);
  }
}

/** One request on a connection of its own; 0 if there is no answer. */
function answeringPid(port: number): Promise<number> {
  return new Promise((resolve) => {
    http
      .get({ port, host: '127.0.0.1', agent: false, timeout: PATIENCE_MS }, (response) => {
        let text = '';
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('close', () => resolve(Number(/"pid": *(\d+)/.exec(text)?.[1] ?? 0)));
      })
      .on('error', () => resolve(0));
  });
}
