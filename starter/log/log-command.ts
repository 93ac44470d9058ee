import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraceError, errnoCode, messageOf } from '../../lib/errors.js';
import { BackOff } from '../workers/back-off.js';
import { type Sink } from './log-output.js';
import { waitStatus } from '../workers/wait-status.js';

const RESTART_FIRST_MS = 1_000;
const RESTART_MOST_MS = 60_000;
/** A command that has run for so long and then ends is started again without a wait. */
const HEALTHY_MS = 10_000;
/** Messages that wait for a command that does not read; older ones are dropped. */
const MOST_WAITING = 10_000;
const RETRY_MS = 100;
/** How long the command may take for what is left when start_server ends. */
const LAST_WORDS_MS = 5_000;

/**
 * A command that reads the log from its stdin, started again where it ends. The
 * pipe is held here with both its ends, so that it outlives the command: what
 * was written meanwhile is read by the next one.
 */
export class LogCommand implements Sink {
  /** Blocking, as programs expect of their stdout. */
  readonly fd: number;
  readonly #command: string;
  readonly #reading: number;
  /** An open file description of its own: start_server must not block on a command that does not read. */
  readonly #own: number;
  readonly #backOff = new BackOff(RESTART_FIRST_MS, RESTART_MOST_MS);
  #waiting: string[] = [];
  #retry: NodeJS.Timeout | undefined;
  #restart: NodeJS.Timeout | undefined;
  #process!: ChildProcess;
  #ended = Promise.resolve();
  #closing = false;
  #running = false;

  private constructor(command: string) {
    this.#command = command;
    const folder = mkdtempSync(join(tmpdir(), 'start_server-'));
    try {
      const path = join(folder, 'log');
      // Node.js makes no pipe(2) of its own; a child's 'pipe' is a socket, which cannot be opened as /dev/stdout.
      const { status, error } = spawnSync('mkfifo', ['-m', '600', path]);
      if (status !== 0) throw error ?? new Error(`mkfifo failed with ${status}`);
      // fifo(7): opened for both it does not wait for the other end; then neither of the others does.
      const both = openSync(path, constants.O_RDWR);
      this.#reading = openSync(path, constants.O_RDONLY);
      this.fd = openSync(path, constants.O_WRONLY);
      this.#own = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
      closeSync(both);
    } catch (cause) {
      throw commandError(command, cause);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    this.#start();
  }

  /** @throws GraceError `FILE_INVALID` where the shell finds no such command. */
  static async open(command: string): Promise<LogCommand> {
    if (command.trim() === '') throw commandError(command, new Error('there is no command after the |'));
    return new LogCommand(command);
  }

  say(message: string): void {
    this.#waiting.push(`${message}\n`);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#flush();
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#restart);
    // One that died and waits for its next start has words to read as well.
    if (!this.#running) this.#start();
    const end = performance.now() + LAST_WORDS_MS;
    while (this.#waiting.length > 0 && performance.now() < end) await pause(RETRY_MS);
    clearTimeout(this.#retry);
    // The command's own descriptor is now the only one left, apart from those of programs that outlived their worker.
    closeSync(this.fd);
    closeSync(this.#own);
    closeSync(this.#reading);
    await Promise.race([this.#ended, pause(end - performance.now())]);
    this.#process.unref();
  }

  #start(): void {
    const startedAt = performance.now();
    // Detached: a Ctrl-C ends the program first, and the log of its end is still read.
    const child = spawn('/bin/sh', ['-c', this.#command], { stdio: [this.#reading, 'inherit', 'inherit'], detached: true });
    this.#process = child;
    this.#running = true;
    this.#ended = new Promise((done) => {
      const onEnd = (status: number): void => {
        this.#running = false;
        done();
        if (this.#closing) return;
        if (performance.now() - startedAt >= HEALTHY_MS) this.#backOff.reset();
        const delay = this.#backOff.next();
        this.say(`log command died with status:${status}, restarting`);
        this.#restart = setTimeout(() => this.#start(), delay);
      };
      child.once('exit', (code, signal) => onEnd(waitStatus(code, signal)));
      child.once('error', () => {
        if (child.pid === undefined) onEnd(255 << 8);
      });
    });
  }

  #flush(): void {
    clearTimeout(this.#retry);
    try {
      while (this.#waiting.length > 0) {
        writeSync(this.#own, this.#waiting[0]!);
        this.#waiting.shift();
      }
    } catch (error) {
      if (errnoCode(error) !== 'EAGAIN') throw error;
      this.#retry = setTimeout(() => this.#flush(), RETRY_MS);
    }
  }
}

function commandError(command: string, cause: unknown): GraceError {
  const reason = messageOf(cause);
  return new GraceError('FILE_INVALID', `failed to open pipe:| ${command}: ${reason}`, {
    subject: 'log-file',
    value: `| ${command}`,
    cause,
  });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(milliseconds, 0)).unref());
}
