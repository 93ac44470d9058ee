import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Test } from 'tap';
import { nextTurn } from '../../lib/deadline.js';
import { type Addressed } from './address.js';
import { isAlive } from './proc.js';
import { waitUntil } from './wait.js';

/** A shell command that starts a program as systemd does, with sockets: LISTEN_PID is its pid. */
export const BY_SYSTEMD = 'LISTEN_PID=$$ exec "$NODE" "$PROGRAM" "$ARGUMENT"';

/** One line of a fixture's stdout, as JSON. */
export interface Announcement extends Addressed {
  readonly event: string;
  readonly pid: number;
  readonly [fact: string]: unknown;
}

export interface ProgramOptions {
  readonly args?: readonly string[];
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** Run by `sh -c`, with `$NODE` and `$PROGRAM` set, in place of `node program`. */
  readonly shell?: string;
  /** In a session and a process group of its own. */
  readonly detached?: boolean;
  /** More descriptors for the program, from 3 on. */
  readonly passed?: readonly (number | 'pipe')[];
}

/** A program that a test started, with its successors, which share its stdout. */
export class Program {
  readonly announcements: Announcement[] = [];
  readonly process: ChildProcess;
  /** Resolves to the exit of the first process. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Its stdout: lines that are no announcements too. */
  output = '';
  stderr = '';
  readonly #closed: Promise<unknown>;

  constructor(process: ChildProcess) {
    this.process = process;
    this.#closed = once(process, 'close');
    this.exited = once(process, 'exit').then(async ([code, signal]) => {
      // What it wrote is in the pipes, but not yet read. The first turn may be the rest of this one.
      await nextTurn();
      await nextTurn();
      return { code: code as number | null, signal: signal as NodeJS.Signals | null };
    });
    createInterface({ input: process.stdout! }).on('line', (line) => {
      this.output += `${line}\n`;
      if (line.startsWith('{')) this.announcements.push(JSON.parse(line) as Announcement);
    });
    process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text;
    });
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** The first pid, then all others that announced something. */
  get pids(): readonly number[] {
    return [...new Set([this.pid, ...this.announcements.map(({ pid }) => pid)])];
  }

  /** The announcements of one event. */
  all(event: string): readonly Announcement[] {
    return this.announcements.filter((announcement) => announcement.event === event);
  }

  /** Waits for the nth announcement of an event; fails if all processes end first. */
  async announced(event: string, nth = 1): Promise<Announcement> {
    let over = false;
    void this.#closed.then(() => {
      over = true;
    });
    await waitUntil(
      `${event} number ${nth}`,
      () => this.all(event).length >= nth || over,
      () => this.report(),
    );
    const found = this.all(event)[nth - 1];
    if (found === undefined) throw new Error(`the program ended before ${event} number ${nth}: ${this.report()}`);
    return found;
  }

  /** Waits for a line on stderr, which is another pipe than that of the announcements. */
  async logged(pattern: RegExp | string): Promise<void> {
    await waitUntil(
      `${String(pattern)} on stderr`,
      () => (typeof pattern === 'string' ? this.stderr.includes(pattern) : pattern.test(this.stderr)),
      () => this.report(),
    );
  }

  /** The pid of the newest process that is ready. */
  get serving(): number {
    return this.all('ready').at(-1)!.pid;
  }

  /** Waits until no process of this program is left, as its stdout and stderr are closed then. */
  async ended(): Promise<void> {
    await this.#closed;
  }

  /** Sends a signal to the first process until it has ended: the second request to stop is one that comes a second later. */
  async insist(signal: NodeJS.Signals): Promise<void> {
    let ended = false;
    void this.exited.then(() => {
      ended = true;
    });
    await waitUntil(
      `the end by ${signal}`,
      () => {
        if (!ended) this.process.kill(signal);
        return ended;
      },
      () => this.report(),
    );
  }

  report(): string {
    const lines = this.announcements.map((announcement) => JSON.stringify(announcement));
    return `announced:\n${lines.join('\n')}\nstderr:\n${this.stderr}`;
  }

  async kill(): Promise<void> {
    for (const pid of this.pids) if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    await this.#closed;
  }
}

/** The path of an example, compiled. */
export function example(name: string): string {
  return fileURLToPath(new URL(`../../examples/${name}/${name}.js`, import.meta.url));
}

/** The path of a fixture, compiled. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../fixtures/${name}.js`, import.meta.url));
}

/**
 * Starts a program with a clean environment. env(1) sets it, as the test runner adds variables
 * to what spawn() passes; env(1) then becomes the program by exec, which keeps the pid.
 */
export function start(t: Test, program: string, options: ProgramOptions = {}): Program {
  const node = [process.execPath, ...(options.nodeArgs ?? []), program, ...(options.args ?? [])];
  const { PATH = '', DEBUG, HOME = '/' } = process.env;
  const env = { PATH, HOME, NODE: process.execPath, PROGRAM: program, ...(DEBUG === undefined ? {} : { DEBUG }), ...options.env };
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const command = options.shell === undefined ? node : ['sh', '-c', options.shell];
  const child = spawn('env', ['-i', ...variables, ...command], {
    stdio: ['ignore', 'pipe', 'pipe', ...(options.passed ?? [])],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    detached: options.detached === true,
  });
  const started = new Program(child);
  t.teardown(() => started.kill());
  return started;
}
