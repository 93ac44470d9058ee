import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import net from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Test } from 'tap';
import { type Program, type ProgramOptions, fixture, start } from './program.js';
import { scratch } from './scratch.js';
import { skipUnlessFound } from './skip.js';
import { waitUntil } from './wait.js';

const PACKAGE = createRequire(import.meta.url)('ts-grace/package.json') as { readonly bin: { readonly start_server: string } };
/** What `bin` in package.json leads to. */
export const MAIN = fileURLToPath(new URL(`../../../${PACKAGE.bin.start_server}`, import.meta.url));
/** The Debian package libserver-starter-perl. */
export const PERL_MAIN = '/usr/bin/start_server';

/** The command of a server without ts-grace. */
export function plain(): string[] {
  return [process.execPath, fixture('starter/plain')];
}

/** The same in a language whose accept(2) blocks. */
export function plainIn(language: 'python3' | 'perl'): string[] {
  const name = language === 'perl' ? 'plain.pl' : 'plain.py';
  return [language, fileURLToPath(new URL(`../../../test/fixtures/starter/${name}`, import.meta.url))];
}

/** For a test's `skip`: the pid file is locked by flock(1), which the commands of start_server need. */
export const skipWithoutFlock = skipUnlessFound('flock');

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A start_server with its own folder for pid and status file. */
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

  /** The lines on stderr without those of the workers. */
  get messages(): readonly string[] {
    return this.program.stderr.split('\n').filter((line) => line !== '' && line !== 'a line on stderr');
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Waits for the nth message that contains or matches a text. */
  async said(text: string | RegExp, nth = 1): Promise<string> {
    const matches = (): string[] => {
      return this.messages.filter((line) => (typeof text === 'string' ? line.includes(text) : text.test(line)));
    };
    await waitUntil(
      `"${text}" number ${nth}`,
      () => matches().length >= nth,
      () => this.program.report(),
    );
    return matches()[nth - 1]!;
  }

  /** The text of the status file; empty if it does not exist. */
  status(): string {
    return existsSync(this.statusFile) ? readFileSync(this.statusFile, 'utf8') : '';
  }

  /** Runs `start_server --action` with this one's files. */
  command(...args: string[]): Promise<Outcome> {
    return run(['--pid-file', this.pidFile, '--status-file', this.statusFile, ...args]);
  }

  /** Sends SIGTERM and waits for the exit. */
  async stop(): Promise<Awaited<Program['exited']>> {
    this.signal('SIGTERM');
    return this.program.exited;
  }
}

/** Starts start_server with a status file, and a pid file if it can be locked here. */
export function startStarter(
  t: Test,
  args: readonly string[],
  { main = MAIN, folder = scratch(t), ...options }: ProgramOptions & { main?: string; folder?: string } = {},
): Starter {
  const pidFile = skipWithoutFlock === false ? [`--pid-file=${join(folder, 'pid')}`] : [];
  const files = [...pidFile, `--status-file=${join(folder, 'status')}`];
  const all = [...files, ...args];
  const shell = main === PERL_MAIN ? { shell: `exec ${PERL_MAIN} ${all.map(quote).join(' ')}` } : {};
  return new Starter(folder, start(t, main, { args: all, ...shell, ...options }));
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Runs start_server until it exits. */
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
