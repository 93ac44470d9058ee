import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { GraceError } from '../../lib/errors.js';
import { fileError } from '../file-error.js';
import { BackOff } from '../process/back-off.js';
import { type ManagedProcess } from '../process/managed-process.js';
import { SpawnedProcess } from '../process/spawned-process.js';
import { type WaitStatus, describeStatus, showStatus } from '../process/wait-status.js';
import { type ProcessIdentity, WatchedProcess, identify } from '../process/watched-process.js';
import { LineQueue } from './line-queue.js';
import { type LogHandover, type LogOutput, stderrOutput } from './log-output.js';
import { type NamedPipe, makeNamedPipe } from './named-pipe.js';
import { PipeDrain } from './pipe-drain.js';

const RESTART_FIRST_MS = 1_000;
const RESTART_MAX_MS = 60_000;
/** A command that ran at least this long is restarted at once. */
const HEALTHY_MS = 10_000;
/** A command that exits within this time of the start is a mistake, for example a wrong name. */
const TRIAL_MS = 300;
/** How long the command may take to read what is left when start_server exits. */
const CLOSE_TIMEOUT_MS = 5_000;
const LATE = 'late';

/**
 * A command that reads the log from its stdin, and is restarted when it exits.
 * This process holds both ends of the pipe, so that the pipe outlives the
 * command. While there is no command, this process reads the pipe: if it were full,
 * the workers would block. The next command gets what was read.
 */
export class LogCommand implements LogOutput {
  readonly #command: string;
  readonly #pipe: NamedPipe;
  readonly #queue: LineQueue;
  readonly #drain: PipeDrain;
  readonly #backOff = new BackOff(RESTART_FIRST_MS, RESTART_MAX_MS);
  #restart: NodeJS.Timeout | undefined;
  #process: ManagedProcess | undefined;
  #failure: WaitStatus;
  /** Before {@link prove} an exit fails the start, and the command is not started again. */
  #onTrial: boolean;
  #closing = false;

  /**
   * @param before - what the start_server before this one left
   * @throws GraceError `FILE_INVALID` if the command is empty or the pipe cannot be made.
   */
  constructor(command: string, before?: LogHandover) {
    this.#command = command;
    this.#onTrial = before === undefined;
    this.#pipe = before?.pipe ?? openPipe(command);
    this.#queue = new LineQueue(this.#pipe.nonblockingWriteFd);
    this.#drain = new PipeDrain(this.#pipe.nonblockingReadFd, (line) => this.#queue.addBack(line));
    this.#run(before?.process);
  }

  /** Blocking, as programs expect of their stdout. start_server itself must not block on a command that does not read. */
  get fd(): number {
    return this.#pipe.writeFd;
  }

  get handover(): LogHandover {
    const pid = this.#process?.pid;
    return { pipe: this.#pipe, process: pid === undefined ? undefined : identify(pid) };
  }

  say(message: string): void {
    this.#queue.add(message);
  }

  /** @throws GraceError `FILE_INVALID` if the command exits at once. */
  async prove(): Promise<void> {
    if (!this.#onTrial) return;
    const status = this.#failure ?? (await within(TRIAL_MS, this.#process!.exited));
    this.#onTrial = status !== LATE;
    if (status === LATE) return;
    throw new GraceError('FILE_INVALID', `the log command ${describeStatus(status)} at once: | ${this.#command}`, {
      subject: 'log-file',
      value: `| ${this.#command}`,
    });
  }

  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#restart);
    if (this.#onTrial && this.#process === undefined) return Object.values(this.#pipe).forEach((fd) => closeSync(fd));
    // If the command exited and waits for its restart, the pipe still has to be read.
    if (this.#process === undefined) this.#run();
    const deadline = performance.now() + CLOSE_TIMEOUT_MS;
    await this.#queue.end(CLOSE_TIMEOUT_MS);
    // The command now reads to the end of file, unless a program that outlived its worker still has the pipe open.
    Object.values(this.#pipe).forEach((fd) => closeSync(fd));
    await within(deadline - performance.now(), this.#process?.exited);
  }

  /** @param running - undefined: it has to be started. */
  #run(running?: ProcessIdentity): void {
    const startedAt = performance.now();
    this.#drain.end();
    this.#queue.release();
    const process = running === undefined ? this.#start() : new WatchedProcess(running);
    this.#process = process;
    void process.exited.then((status) => this.#onExit(status, performance.now() - startedAt));
  }

  #onExit(status: WaitStatus, lived: number): void {
    this.#process = undefined;
    this.#failure = status;
    if (this.#closing || this.#onTrial) return;
    if (lived >= HEALTHY_MS) this.#backOff.reset();
    const delay = this.#backOff.next();
    // Lines keep their order best in the pipe itself, and for a moment it has room enough.
    if (delay > 0) this.#readInstead();
    this.say(`log command died with status:${showStatus(status)}, restarting`);
    stderrOutput.say(`start_server: the log command ${describeStatus(status)}, it is started again after ${delay / 1000} seconds`);
    this.#restart = setTimeout(() => this.#run(), delay);
  }

  #readInstead(): void {
    this.#queue.hold();
    this.#queue.putBack(this.#drain.begin());
  }

  #start(): ManagedProcess {
    // Detached: Ctrl-C stops the program first, and the command still reads its last messages.
    const options = { stdio: [this.#pipe.readFd, 'inherit', 'inherit'], detached: true } satisfies object;
    return new SpawnedProcess(() => {
      const child = spawn('/bin/sh', ['-c', this.#command], options as object);
      child.unref();
      return child;
    });
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

/** What a promise fulfils with, or `LATE` after these milliseconds. */
async function within<T>(milliseconds: number, promise: Promise<T> | undefined): Promise<T | typeof LATE | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((done) => {
    timer = setTimeout(() => done(LATE), Math.max(milliseconds, 0));
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}
