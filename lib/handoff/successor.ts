import { type ChildProcess } from 'node:child_process';
import { type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { type Command } from './command.js';
import { GraceError } from '../errors.js';
import { throughIntermediate, untilGone } from './intermediate.js';
import { readLines } from './lines.js';
import { logger } from '../log.js';
import { HANDOFF, type HandoffSocket, formatHandoff, formatMessage, parseChildMessage } from './protocol.js';
import { exitCodeOf } from '../signals.js';
import { optionsWithCopy } from './preload.js';

const log = logger('child');

const FIRST_FD = 3;
/** Between the SIGTERM to a successor that was given up and its SIGKILL. */
const KILL_AFTER_MS = 2_000;
/** The kernel closes a dying process's pipe before it reports its end; a child that closes it and lives is none of ours. */
const END_AFTER_CLOSE_MS = 1_000;
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
  /**
   * Variables by which the child, too, speaks to systemd. Where they are there it
   * is started through an intermediate, so that it is systemd's child and not ours.
   */
  readonly serviceManager?: Readonly<Record<string, string>> | undefined;
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
  /** The child, or the intermediate that started it. */
  readonly #process: ChildProcess;
  readonly #adopted: boolean;
  readonly #pipe: Duplex;
  #pid: number | undefined;
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
    this.#adopted = options.serviceManager !== undefined;
    this.#process = spawnChild(options, handoff);
    if (!this.#adopted) this.#pid = this.#process.pid;
    this.#pipe = this.#process.stdio[pipe] as Duplex;
    this.#pipe.on('error', (error) => log('pipe: %s', error.message));
    if (follow === 'pipe') this.followPipe = this.#process.stdio[pipe + 1] as Socket;
    this.#pipe.write(formatMessage({ type: 'hello', nonce, state }));
    log('generation %d is started, by process %d', generation, this.#process.pid);
    this.ready = this.#waitUntilReady(options, nonce);
  }

  /** Undefined where the process could not be started, or has not yet said that it runs. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Ends a child that is not ready: politely, as it may have accepted a connection already, and then for good. */
  giveUp(why: string): void {
    if (this.#givenUp !== undefined) return;
    this.#givenUp = why;
    this.#signal('SIGTERM');
    this.#kill = setTimeout(() => {
      this.#signal('SIGKILL');
      // One that was adopted and never said its pid is beyond reach.
      if (this.#pid === undefined) this.#pipe.destroy();
    }, KILL_AFTER_MS);
  }

  /** Leaves a child that is ready to itself; `restartAgain` passes on a restart that was asked for meanwhile. */
  release(restartAgain: boolean): void {
    if (restartAgain) this.#pipe.write(formatMessage({ type: 'restart' }));
    this.#process.unref();
    (this.#pipe as Socket).unref();
  }

  /** How a child ends that was released; a signal as a shell reports it. This process stays until then. */
  exited(): Promise<number> {
    // Only its parent, which is not this process, gets to know.
    if (this.#adopted) return Promise.resolve(1);
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

  /** Ends a child that is not ready at once: this process cannot wait for it. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#adopted) {
      this.#process.kill(signal);
      return;
    }
    try {
      if (this.#pid !== undefined) process.kill(this.#pid, signal);
    } catch (error) {
      log('%s to process %d: %s', signal, this.#pid, error);
    }
  }

  #waitUntilReady({ sockets, timeout }: ChildOptions, nonce: string): Promise<ReadonlySet<number>> {
    return new Promise((resolve, reject) => {
      let stderr = '';
      let saidCode: number | undefined;
      let closed: NodeJS.Timeout | undefined;
      const timer = setTimeout(() => this.giveUp(`was not ready within ${timeout} ms`), timeout);
      const onPipeEnd = (): void => {
        closed = setTimeout(() => this.giveUp('closed the handoff pipe'), END_AFTER_CLOSE_MS);
      };
      const settle = (): void => {
        clearTimeout(timer);
        clearTimeout(closed);
        clearTimeout(this.#kill);
        stopReading();
        this.#pipe.off('end', onPipeEnd);
      };
      const fail = (code: number | null, signal: NodeJS.Signals | null, cause?: Error): void => {
        settle();
        this.#pipe.destroy();
        const exitCode = code ?? (signal === null ? saidCode : null);
        reject(failure({ pid: this.#pid, exitCode, signal, stderr: lastLines(stderr), cause }, this.#givenUp));
      };
      const stopReading = readLines(this.#pipe, (line) => {
        const message = parseChildMessage(line);
        if (message?.type === 'started') this.#onStarted(message.pid);
        if (message?.type === 'stderr') stderr = (stderr + message.text).slice(-STDERR_CHARACTERS);
        if (message?.type === 'exit') saidCode = message.code;
        if (message?.type !== 'ready' || message.nonce !== nonce || this.#givenUp !== undefined) return;
        settle();
        this.#pid ??= message.pid;
        this.#process.removeAllListeners();
        resolve(new Set(sockets.filter((_, index) => message.kept.includes(FIRST_FD + index)).map(({ fd }) => fd)));
      });
      // 'close' follows 'exit' when the pipe is read to its end, last words included.
      this.#process.once('close', (code, signal) => {
        // How a process ended that is not our child, only its parent gets to know.
        if (this.#adopted) void untilGone(this.#pid).then(() => fail(null, null));
        else fail(code, signal);
      });
      this.#process.once('error', (error) => fail(null, null, error));
      this.#pipe.once('end', onPipeEnd);
    });
  }

  #onStarted(pid: number): void {
    if (!this.#adopted) return;
    log('the child is process %d', pid);
    this.#pid = pid;
    if (this.#givenUp !== undefined) this.#signal('SIGTERM');
  }
}

/** stdio takes the numbers of descriptors and clears their close-on-exec flag in the child. */
function spawnChild({ command, sockets, serviceManager, follow }: ChildOptions, handoff: string): ChildProcess {
  // Not loaded at the top: a successor starts faster without, and most processes restart never.
  const { spawn } = process.getBuiltinModule('node:child_process');
  const { file, args, cwd } = serviceManager === undefined ? command : throughIntermediate(command);
  return spawn(file, args, {
    cwd,
    env: {
      ...process.env,
      ...serviceManager,
      PWD: cwd,
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
  const how = howItEnded(exitCode, signal);
  const what =
    cause === undefined
      ? `the successor (process ${pid ?? 'unknown'}) ${givenUp ?? `${how} before it was ready`}`
      : `the successor could not be started: ${cause.message}`;
  const words = stderr === '' ? '' : `; its last words:\n${stderr}`;
  return new GraceError('RESTART_FAILED', `restart failed, this process serves on: ${what}${words}`, ending);
}

function howItEnded(exitCode: number | null | undefined, signal: NodeJS.Signals | null): string {
  if (signal !== null) return `was ended by ${signal}`;
  return exitCode === undefined ? 'ended, and did not come to say its exit code,' : `exited with code ${exitCode}`;
}

function lastLines(text: string): string {
  return text.trimEnd().split('\n').slice(-STDERR_LINES).join('\n');
}
