import { type ChildProcess } from 'node:child_process';
import { type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { logger } from '../log.js';
import { exitCodeOf } from '../on-signals.js';
import { splitHandoff } from './handoff-variable.js';
import { untilGone } from '../launch/intermediate.js';
import { readLines } from './lines.js';
import { type SuccessorMessage, formatMessage, parseSuccessorMessage } from './messages.js';
import { type Ending, endOf, lastLines, successorError } from './restart-error.js';
import { Questions } from './questions.js';
import { spawnSuccessor } from './spawn-successor.js';
import { EXIT_AFTER_CLOSE_MS, Startup } from './startup.js';
import { type SuccessorOptions } from './successor-options.js';
import { type ListeningHandle, ReturnedSockets } from '../move/returned-sockets.js';
import { ConnectionSender, type Onward } from '../move/sender.js';

const log = logger('successor');

const FIRST_FD = 3;
/** Between SIGTERM and SIGKILL for a successor that has failed. */
const KILL_AFTER_MS = 2_000;

/** The process that this one hands its sockets over to: the predecessor's end of the conversation. */
export class Successor {
  /**
   * Fulfils when the successor serves, with the descriptors (numbers of this
   * process) that it goes on serving. Rejects with `RESTART_FAILED` if it does not
   * come to that, after its process has ended.
   */
  readonly serving: Promise<ReadonlySet<number>>;
  /** With `follow: 'pipe'`: this process's end of the socket that it shares with all later generations. */
  readonly followPipe: Socket | undefined;
  /** The successor, or the intermediate that started it. */
  readonly #process: ChildProcess;
  readonly #throughIntermediate: boolean;
  readonly #pipe: Duplex;
  readonly #descriptors: readonly number[];
  readonly #nonce: string;
  readonly #moves: boolean;
  readonly #questions: Questions;
  readonly #startup: Startup;
  readonly #stopReading: () => void;
  /** The descriptors that the successor goes on serving. */
  #kept: ReadonlySet<number> = new Set();
  #pid: number | undefined;
  #stopped: string | undefined;
  #kill: NodeJS.Timeout | undefined;
  /** There when the successor takes connections. */
  #sender: ConnectionSender | undefined;
  #returned: ReturnedSockets | undefined;
  /** Sockets that it sends back, by their descriptors in the successor. */
  #returns: readonly number[] = [];
  #stderr = '';
  #reportedCode: number | undefined;
  /** Called when a successor that serves has closed its pipe: it has ended, or is about to. */
  onEnd: () => void = () => undefined;

  constructor(options: SuccessorOptions) {
    const { nonce, sockets, generation, state, follow, program, timeout, moves, watches } = options;
    const channel = (moves || watches) && process.platform !== 'win32';
    const pipe = FIRST_FD + sockets.length;
    const more = [follow, program].filter((descriptor) => descriptor !== undefined);
    const handoff = splitHandoff({
      pid: process.pid,
      generation,
      pipe,
      nonce,
      sockets: sockets.map((socket, index) => ({ ...socket, fd: FIRST_FD + index })),
      follow: follow === undefined ? undefined : pipe + 1,
      timeout,
      channel: channel ? pipe + 1 + more.length : undefined,
      program: program === undefined ? undefined : pipe + more.length,
    });
    this.#nonce = nonce;
    this.#moves = moves;
    this.#questions = new Questions(options.onAsk);
    this.#descriptors = sockets.map(({ fd }) => fd);
    // Before anything is started: a program can carry values that are no JSON.
    const hello = formatMessage({ type: 'hello', nonce, state: { ...state, ...handoff.state }, acknowledges: true, watches });
    this.#throughIntermediate = options.serviceManager !== undefined;
    this.#process = spawnSuccessor({ ...options, channel, more, descriptors: this.#descriptors, handoff: handoff.variable });
    if (channel) this.#returned = new ReturnedSockets(this.#process);
    if (!this.#throughIntermediate) this.#pid = this.#process.pid;
    this.#pipe = this.#process.stdio[pipe] as Duplex;
    this.#pipe.on('error', (error) => log('pipe: %s', error.message));
    if (follow === 'pipe') this.followPipe = this.#process.stdio[pipe + 1] as Socket;
    this.#pipe.write(hello);
    log('generation %d is started, by process %d', generation, this.#process.pid);
    this.#startup = new Startup(timeout, (why) => this.stop(why));
    this.serving = this.#startup.ended.then(() => this.#kept);
    this.#stopReading = readLines(this.#pipe, (line) => this.#hear(parseSuccessorMessage(line)));
    this.#pipe.once('end', () => this.#startup.onPipeEnd());
    this.#process.once('error', (error) => this.#onFailed(null, null, error));
    // 'close' comes after 'exit', when all of the pipe is read.
    this.#process.once('close', (code, signal) => {
      // This is the exit of the intermediate. That of the successor is seen by its pid, without exit code.
      if (this.#throughIntermediate) void untilGone(this.#pid).then(() => this.#onFailed(null, null));
      else this.#onFailed(code, signal);
    });
  }

  /** Undefined if the process could not be started, or has not yet sent its pid. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /**
   * Stops a successor that is not ready: first by SIGTERM, as it may have accepted a connection already, later by SIGKILL.
   *
   * @param drainDelay - milliseconds for which it may go on accepting before it drains.
   */
  stop(why: string, drainDelay = 0): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    this.#signal('SIGTERM');
    this.#kill = setTimeout(() => {
      this.#signal('SIGKILL');
      // A successor that an intermediate started cannot be signalled without its pid.
      if (this.#pid === undefined) this.#pipe.destroy();
    }, drainDelay + KILL_AFTER_MS);
  }

  /** From now on, a successor that is ready runs on its own; `restartAgain` passes on a restart that was requested meanwhile. */
  release(restartAgain: boolean): void {
    if (restartAgain) this.#pipe.write(formatMessage({ type: 'restart' }));
    this.#process.unref();
    this.#process.channel?.unref();
    (this.#pipe as Socket).unref();
    this.#questions.release();
  }

  /** The exit code of a released successor, 128 + n after a signal. It keeps this process alive until then. */
  exited(): Promise<number> {
    // Only the parent of a process learns its exit code, and here that is not this process.
    if (this.#throughIntermediate) return Promise.resolve(1);
    this.#process.ref();
    return new Promise((done) => {
      this.#process.once('exit', (code, signal) => done(code ?? exitCodeOf(signal!)));
    });
  }

  /**
   * How a successor that had served ended. Waits a moment for its exit, as the kernel
   * closes the pipe before it reports the exit; without `wait`, tells only what is known so far.
   */
  async ending(wait = true): Promise<Ending> {
    const { exitCode, signalCode } = this.#process;
    if (this.#throughIntermediate || !wait) return this.#endingBy(null, null);
    if (exitCode !== null || signalCode !== null) return this.#endingBy(exitCode, signalCode);
    return new Promise((done) => {
      const timer = setTimeout(() => done(this.#endingBy(null, null)), EXIT_AFTER_CLOSE_MS);
      this.#process.once('exit', (code, signal) => {
        clearTimeout(timer);
        done(this.#endingBy(code, signal));
      });
    });
  }

  /**
   * The sockets that a successor which serves has sent back, unpolled, in the order
   * of these descriptors of this process. Undefined if not all of them come.
   */
  async returned(descriptors: readonly number[]): Promise<readonly ListeningHandle[] | undefined> {
    const wanted = descriptors.map((fd) => FIRST_FD + this.#descriptors.indexOf(fd));
    if (wanted.every((fd) => this.#returns.includes(fd))) return this.#returned?.take(wanted);
    this.#returned?.close();
    return undefined;
  }

  /** Tells something to a successor that is ready, see Carried.tell(). */
  tell(key: string, value: unknown): void {
    if (this.#pipe.writable) this.#pipe.write(formatMessage({ type: 'news', key, value }));
  }

  /** Where the connections of a listener can move to; undefined if they stay. `fd` is the number in this process. */
  onward(fd: number): Onward | undefined {
    return this.#sender?.onward(FIRST_FD + this.#descriptors.indexOf(fd));
  }

  /** Connections that the successor has taken so far. */
  get moved(): number {
    return this.#sender?.moved ?? 0;
  }

  /** Closes the pipe, by which the successor learns that this process has drained. */
  leave(): void {
    this.#sender?.close();
    this.#pipe.end();
  }

  /** Kills a successor that is not ready, as this process cannot wait for it, or one that has failed. */
  kill(): void {
    this.#signal('SIGKILL');
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.#throughIntermediate) {
      this.#process.kill(signal);
      return;
    }
    try {
      if (this.#pid !== undefined) process.kill(this.#pid, signal);
    } catch (error) {
      log('%s to process %d: %s', signal, this.#pid, error);
    }
  }

  #hear(message: SuccessorMessage | undefined): void {
    switch (message?.type) {
      case 'started':
        return this.#onStarted(message.pid);
      case 'stderr':
        this.#stderr = endOf(this.#stderr + message.text);
        return;
      case 'exit':
        this.#reportedCode = message.code;
        return;
      case 'ask':
        // A successor that was given up too late serves already, and waits for an answer: the end of the pipe is one.
        return void (this.#stopped === undefined ? this.#questions.hear(message) : this.#pipe.end());
      case 'ready':
        return this.#talksToUs(message) ? this.#onReady(message) : undefined;
      case 'serving':
        return this.#talksToUs(message) ? this.#onServing(message.returns) : undefined;
    }
  }

  /** False for a successor that was given up: without acknowledgement it does not take over. */
  #talksToUs({ nonce }: { readonly nonce: string }): boolean {
    return nonce === this.#nonce && this.#stopped === undefined && !this.#startup.isOver;
  }

  #onReady({ pid, kept, takes, waits }: SuccessorMessage & { readonly type: 'ready' }): void {
    this.#pid ??= pid;
    this.#kept = new Set(this.#descriptors.filter((_, index) => kept.includes(FIRST_FD + index)));
    if (takes !== undefined && this.#moves && this.#process.connected) {
      const sender = new ConnectionSender(this.#process, takes);
      this.#pipe.once('close', () => sender.end());
      this.#sender = sender;
    }
    if (waits !== true) return this.#onServing();
    this.#pipe.write(formatMessage({ type: 'yours', nonce: this.#nonce }));
    this.#startup.beginAgain();
  }

  #onServing(returns: readonly number[] = []): void {
    this.#returns = returns;
    this.#questions.hold();
    clearTimeout(this.#kill);
    this.#pipe.once('close', () => this.onEnd());
    // Listeners of other events belong to the channel.
    this.#process
      .removeAllListeners('close')
      .removeAllListeners('error')
      .on('error', (error) => log('%s', error.message));
    this.#startup.serves();
  }

  #onFailed(code: number | null, signal: NodeJS.Signals | null, cause?: Error): void {
    clearTimeout(this.#kill);
    this.#stopReading();
    this.#pipe.destroy();
    this.#startup.fails(successorError(this.#endingBy(code, signal, cause), this.#stopped));
  }

  #endingBy(code: number | null, signal: NodeJS.Signals | null, cause?: Error): Ending {
    const exitCode = code ?? (signal === null ? this.#reportedCode : null);
    return { pid: this.#pid, exitCode, signal, stderr: lastLines(this.#stderr), cause };
  }

  #onStarted(pid: number): void {
    if (!this.#throughIntermediate) return;
    log('the successor is process %d', pid);
    this.#pid = pid;
    if (this.#stopped !== undefined) this.#signal('SIGTERM');
  }
}
