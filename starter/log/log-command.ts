import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { fileError } from '../file-error.js';
import { BackOff } from '../workers/back-off.js';
import { EXEC_FAILED, waitStatus } from '../workers/wait-status.js';
import { LineQueue } from './line-queue.js';
import { type LogOutput } from './log-output.js';
import { type NamedPipe, makeNamedPipe } from './named-pipe.js';

const RESTART_FIRST_MS = 1_000;
const RESTART_MAX_MS = 60_000;
/** A command that ran at least this long is restarted after the first delay again. */
const HEALTHY_MS = 10_000;
/** How long the command may take to read what is left when start_server exits. */
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * A command that reads the log from its stdin, and is restarted when it exits.
 * This process holds both ends of the pipe, so that the pipe outlives the
 * command: the next one reads what was written in between.
 */
export class LogCommand implements LogOutput {
  readonly #command: string;
  readonly #pipe: NamedPipe;
  readonly #queue: LineQueue;
  readonly #backOff = new BackOff(RESTART_FIRST_MS, RESTART_MAX_MS);
  #restart: NodeJS.Timeout | undefined;
  #process: ChildProcess | undefined;
  #exited = Promise.resolve();
  #closing = false;
  #running = false;

  /** @throws GraceError `FILE_INVALID` if the command is empty or the pipe cannot be made. */
  constructor(command: string) {
    this.#command = command;
    this.#pipe = openPipe(command);
    this.#queue = new LineQueue(this.#pipe.nonblockingWriteFd);
    this.#start();
  }

  /** Blocking, as programs expect of their stdout. start_server itself must not block on a command that does not read. */
  get fd(): number {
    return this.#pipe.writeFd;
  }

  say(message: string): void {
    this.#queue.add(message);
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#restart);
    // If the command exited and waits for its restart, the pipe still has to be read.
    if (!this.#running) this.#start();
    const deadline = performance.now() + CLOSE_TIMEOUT_MS;
    await this.#queue.end(CLOSE_TIMEOUT_MS);
    // The command now reads to the end of file, unless a program that outlived its worker still has the pipe open.
    Object.values(this.#pipe).forEach((fd) => closeSync(fd));
    await Promise.race([this.#exited, pause(deadline - performance.now())]);
    this.#process?.unref();
  }

  #start(): void {
    const startedAt = performance.now();
    const child = this.#spawn();
    this.#process = child;
    this.#running = true;
    this.#exited = new Promise((done) => {
      const onExit = (status: number): void => {
        this.#running = false;
        done();
        if (this.#closing) return;
        if (performance.now() - startedAt >= HEALTHY_MS) this.#backOff.reset();
        const delay = this.#backOff.next();
        this.say(`log command died with status:${status}, restarting`);
        this.#restart = setTimeout(() => this.#start(), delay);
      };
      if (child === undefined) return onExit(EXEC_FAILED);
      child.once('exit', (code, signal) => onExit(waitStatus(code, signal)));
      child.once('error', () => {
        if (child.pid === undefined) onExit(EXEC_FAILED);
      });
    });
  }

  /** Undefined if there is no memory for a process. */
  #spawn(): ChildProcess | undefined {
    try {
      // Detached: Ctrl-C stops the program first, and the command still reads its last messages.
      return spawn('/bin/sh', ['-c', this.#command], { stdio: [this.#pipe.readFd, 'inherit', 'inherit'], detached: true });
    } catch {
      return undefined;
    }
  }
}

function openPipe(command: string): NamedPipe {
  try {
    if (command.trim() === '') throw new Error('there is no command after the |');
    return makeNamedPipe();
  } catch (cause) {
    throw fileError('open pipe', 'log-file', `| ${command}`, cause);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, Math.max(milliseconds, 0)).unref());
}
