import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Test } from 'tap';
import { scratch } from './certificate.js';
import { type Program, type ProgramOptions, start } from './program.js';
import { waitUntil } from './wait.js';

export const MAIN = fileURLToPath(new URL('../../starter/cli/main.js', import.meta.url));
/** The Debian package libserver-starter-perl. */
export const PERL_MAIN = '/usr/bin/start_server';

/** A fixture that is not compiled, with what runs it. */
export function plain(name: 'plain.py' | 'plain.pl'): string[] {
  const file = fileURLToPath(new URL(`../../../test/fixtures/starter/${name}`, import.meta.url));
  return name.endsWith('.py') ? [process.env['PYTHON'] ?? 'python3', file] : ['perl', file];
}

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A start_server with its files in a folder of its own. */
export class Starter {
  readonly folder: string;
  readonly program: Program;

  constructor(folder: string, program: Program) {
    this.folder = folder;
    this.program = program;
  }

  get pid(): number {
    return this.program.pid;
  }

  get pidFile(): string {
    return join(this.folder, 'pid');
  }

  get statusFile(): string {
    return join(this.folder, 'status');
  }

  /** The lines of stderr, those of the workers left out. */
  get messages(): readonly string[] {
    return this.program.stderr.split('\n').filter((line) => line !== '' && line !== 'a line on stderr');
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Waits until a message begins so for the nth time. */
  async said(text: string | RegExp, nth = 1): Promise<string> {
    const matches = (): string[] => {
      return this.messages.filter((line) => (typeof text === 'string' ? line.includes(text) : text.test(line)));
    };
    await waitUntil(`"${text}" number ${nth}`, () => matches().length >= nth, () => this.program.report());
    return matches()[nth - 1]!;
  }

  /** The status file; empty where there is none. */
  status(): string {
    return existsSync(this.statusFile) ? readFileSync(this.statusFile, 'utf8') : '';
  }

  /** Runs `start_server --action` with this one's files. */
  command(...args: string[]): Promise<Outcome> {
    return run(['--pid-file', this.pidFile, '--status-file', this.statusFile, ...args]);
  }

  /** SIGTERM, and waits for the end. */
  async stop(): Promise<Awaited<Program['exited']>> {
    this.signal('SIGTERM');
    return this.program.exited;
  }
}

/** Starts a start_server with pid and status file. */
export function startStarter(
  t: Test,
  args: readonly string[],
  { main = MAIN, folder = scratch(t), ...options }: ProgramOptions & { main?: string; folder?: string } = {},
): Starter {
  const files = [`--pid-file=${join(folder, 'pid')}`, `--status-file=${join(folder, 'status')}`];
  const all = [...files, ...args];
  const shell = main === PERL_MAIN ? { shell: `exec ${PERL_MAIN} ${all.map(quote).join(' ')}` } : {};
  return new Starter(folder, start(t, main, { args: all, ...shell, ...options }));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Runs start_server to its end. */
export function run(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((done) => {
    const { PATH = '' } = process.env;
    execFile(process.execPath, [MAIN, ...args], { env: { PATH, ...env }, timeout: 30_000 }, (error, stdout, stderr) => {
      done({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr });
    });
  });
}

/** Asks a plain server: `[pid, generation]` of the worker that answered. */
export function ask(where: number | string, words = 'ask\n', host = '127.0.0.1'): Promise<number[]> {
  return new Promise((done, fail) => {
    const socket = typeof where === 'string' ? net.connect(where) : net.connect(where, host);
    let text = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', fail).on('close', () => done(text.split(' ').map(Number)));
    socket.on('connect', () => socket.write(words));
  });
}

/** The port of the first socket of a plain server. */
export function portOf(ready: { readonly [fact: string]: unknown }): number {
  return (ready['sockets'] as { port: number }[])[0]!.port;
}

export function descriptors(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Kibibytes of memory that a process has resident. */
export function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}
