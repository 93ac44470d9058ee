import { type ChildProcess } from 'node:child_process';
import { type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { type Command } from './command.js';
import { GraceError } from './errors.js';
import { readLines } from './lines.js';
import { logger } from './log.js';
import { HANDOFF, type HandoffSocket, formatHandoff, formatMessage, parseChildMessage } from './protocol.js';
import { exitCodeOf } from './signals.js';
import { optionsWithCopy } from './stderr-copy.js';

const log = logger('child');

const FIRST_FD = 3;
/** Between the SIGTERM to a successor that was given up and its SIGKILL. */
const KILL_AFTER_MS = 2_000;
const STDERR_LINES = 20;
const STDERR_CHARACTERS = 16 * 1024;

export interface ChildOptions {
  readonly command: Command;
  readonly generation: number;
  /** The sockets to pass, `fd` being the number in this process. */
  readonly sockets: readonly HandoffSocket[];
  /** What goes over beside them; has to be JSON. */
  readonly state: Readonly<Record<string, unknown>>;
  /** Milliseconds until the child has to be ready. */
  readonly timeout: number;
  /** `pipe` where this process is to follow those after it; a descriptor where the first one does. */
  readonly follow: 'pipe' | number | undefined;
}

/** The process that this one hands its sockets over to: the parent's end of the conversation. */
export class Child {
  /**
   * Fulfils with the descriptors (numbers of this process) that the child goes on
   * serving. Rejects with `RESTART_FAILED` where it did not come that far, when
   * nothing of it is left.
   */
  readonly ready: Promise<ReadonlySet<number>>;
  /** This process's end of what it shares with all generations after it; where it is to follow them. */
  readonly followPipe: Socket | undefined;
  readonly #process: ChildProcess;
  readonly #pipe: Duplex;
  #givenUp: string | undefined;
  #kill: NodeJS.Timeout | undefined;

  constructor(options: ChildOptions) {
    const { sockets, generation, state, follow } = options;
    const nonce = crypto.randomUUID();
    const pipe = FIRST_FD + sockets.length;
    const handoff = formatHandoff({
      pid: process.pid,
      generation,
      pipe,
      nonce,
      sockets: sockets.map((socket, index) => ({ ...socket, fd: FIRST_FD + index })),
      follow: follow === undefined ? undefined : pipe + 1,
    });
    this.#process = spawnChild(options, handoff);
    this.#pipe = this.#process.stdio[pipe] as Duplex;
    this.#pipe.on('error', (error) => log('pipe: %s', error.message));
    if (follow === 'pipe') this.followPipe = this.#process.stdio[pipe + 1] as Socket;
    this.#pipe.write(formatMessage({ type: 'hello', nonce, state }));
    log('generation %d is process %d', generation, this.#process.pid);
    this.ready = this.#waitUntilReady(options, nonce);
  }

  /** Undefined where the process could not be started. */
  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Ends a child that is not ready: politely, as it may have accepted a connection already, and then for good. */
  giveUp(why: string): void {
    if (this.#givenUp !== undefined) return;
    this.#givenUp = why;
    this.#process.kill('SIGTERM');
    this.#kill = setTimeout(() => this.#process.kill('SIGKILL'), KILL_AFTER_MS);
  }

  /** Leaves a child that is ready to itself; `restartAgain` passes on a restart that was asked for meanwhile. */
  release(restartAgain: boolean): void {
    if (restartAgain) this.#pipe.write(formatMessage({ type: 'restart' }));
    this.#process.unref();
    (this.#pipe as Socket).unref();
  }

  /** How a child ends that was released; a signal as a shell reports it. This process stays until then. */
  exited(): Promise<number> {
    this.#process.ref();
    return new Promise((done) => {
      this.#process.once('exit', (code, signal) => done(code ?? exitCodeOf(signal!)));
    });
  }

  /** Tells a child that is ready something, see Grace.tell(). */
  tell(key: string, value: unknown): void {
    if (this.#pipe.writable) this.#pipe.write(formatMessage({ type: 'news', key, value }));
  }

  /** This process has drained; the child learns it from the end of the pipe. */
  leave(): void {
    this.#pipe.end();
  }

  #waitUntilReady({ sockets, timeout }: ChildOptions, nonce: string): Promise<ReadonlySet<number>> {
    return new Promise((resolve, reject) => {
      let stderr = '';
      let saidCode: number | undefined;
      const timer = setTimeout(() => this.giveUp(`was not ready within ${timeout} ms`), timeout);
      const onPipeEnd = (): void => {
        if (this.#process.exitCode === null) this.giveUp('closed the handoff pipe');
      };
      const settle = (): void => {
        clearTimeout(timer);
        clearTimeout(this.#kill);
        stopReading();
        this.#pipe.off('end', onPipeEnd);
      };
      const fail = (code: number | null, signal: NodeJS.Signals | null, cause?: Error): void => {
        settle();
        this.#pipe.destroy();
        const { pid } = this.#process;
        const exitCode = code ?? (signal === null ? saidCode : null);
        reject(failure({ pid, exitCode, signal, stderr: lastLines(stderr), cause }, this.#givenUp));
      };
      const stopReading = readLines(this.#pipe, (line) => {
        const message = parseChildMessage(line);
        if (message?.type === 'stderr') stderr = (stderr + message.text).slice(-STDERR_CHARACTERS);
        if (message?.type === 'exit') saidCode = message.code;
        if (message?.type !== 'ready' || message.nonce !== nonce || this.#givenUp !== undefined) return;
        settle();
        this.#process.removeAllListeners();
        resolve(new Set(sockets.filter((_, index) => message.kept.includes(FIRST_FD + index)).map(({ fd }) => fd)));
      });
      // 'close' follows 'exit' when the pipe is read to its end, last words included.
      this.#process.once('close', (code, signal) => fail(code, signal));
      this.#process.once('error', (error) => fail(null, null, error));
      this.#pipe.once('end', onPipeEnd);
    });
  }
}

/** stdio takes the numbers of descriptors and clears their close-on-exec flag in the child. */
function spawnChild({ command, sockets, follow }: ChildOptions, handoff: string): ChildProcess {
  // Not loaded at the top: a successor starts faster without, and most processes restart never.
  const { spawn } = process.getBuiltinModule('node:child_process');
  return spawn(command.file, command.args, {
    cwd: command.cwd,
    env: {
      ...process.env,
      PWD: command.cwd,
      NODE_OPTIONS: optionsWithCopy(process.env['NODE_OPTIONS']),
      [HANDOFF]: handoff,
    },
    stdio: ['inherit', 'inherit', 'inherit', ...sockets.map(({ fd }) => fd), 'pipe', ...(follow === undefined ? [] : [follow])],
  });
}

interface Ending {
  readonly pid: number | undefined;
  readonly exitCode: number | null | undefined;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
  readonly cause: Error | undefined;
}

function failure(ending: Ending, givenUp: string | undefined): GraceError {
  const { pid, exitCode, signal, stderr, cause } = ending;
  const how = signal === null ? `exited with code ${exitCode}` : `was ended by ${signal}`;
  const what =
    cause === undefined
      ? `the successor (process ${pid}) ${givenUp ?? `${how} before it was ready`}`
      : `the successor could not be started: ${cause.message}`;
  const words = stderr === '' ? '' : `; its last words:\n${stderr}`;
  return new GraceError('RESTART_FAILED', `restart failed, this process serves on: ${what}${words}`, ending);
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-STDERR_LINES).join('\n');
}
