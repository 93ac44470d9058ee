import { type ChildProcess } from 'node:child_process';
import { type Socket } from 'node:net';
import { type Duplex } from 'node:stream';
import { logger } from '../log.js';
import { exitCodeOf } from '../on-signals.js';
import { splitHandoff } from './handoff-variable.js';
import { untilGone } from '../launch/intermediate.js';
import { readLines } from './lines.js';
import { formatMessage, parseSuccessorMessage } from './messages.js';
import { type Ending, endOf, lastLines, successorError } from './restart-error.js';
import { spawnSuccessor } from './spawn-successor.js';
import { type SuccessorOptions } from './successor-options.js';
import { type ListeningHandle, ReturnedSockets } from '../move/returned-sockets.js';
import { ConnectionSender, type Onward } from '../move/sender.js';

const log = logger('successor');

const FIRST_FD = 3;
/** Between SIGTERM and SIGKILL for a successor that has failed. */
const KILL_AFTER_MS = 2_000;
/** The kernel closes a dying process's pipe before it reports the exit. A successor that closes the pipe but keeps running has failed. */
const EXIT_AFTER_CLOSE_MS = 1_000;

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
    const { sockets, generation, state, follow, moves, watches } = options;
    const channel = (moves || watches) && process.platform !== 'win32';
    const nonce = crypto.randomUUID();
    const pipe = FIRST_FD + sockets.length;
    const handoff = splitHandoff({
      pid: process.pid,
      generation,
      pipe,
      nonce,
      sockets: sockets.map((socket, index) => ({ ...socket, fd: FIRST_FD + index })),
      follow: follow === undefined ? undefined : pipe + 1,
      timeout: options.timeout,
      channel: channel ? pipe + (follow === undefined ? 1 : 2) : undefined,
    });
    this.#descriptors = sockets.map(({ fd }) => fd);
    // Before anything is started: a program can carry values that are no JSON.
    const hello = formatMessage({ type: 'hello', nonce, state: { ...state, ...handoff.state }, acknowledges: true, watches });
    this.#throughIntermediate = options.serviceManager !== undefined;
    this.#process = spawnSuccessor({ ...options, channel, descriptors: this.#descriptors, handoff: handoff.variable });
    if (channel) this.#returned = new ReturnedSockets(this.#process);
    if (!this.#throughIntermediate) this.#pid = this.#process.pid;
    this.#pipe = this.#process.stdio[pipe] as Duplex;
    this.#pipe.on('error', (error) => log('pipe: %s', error.message));
    if (follow === 'pipe') this.followPipe = this.#process.stdio[pipe + 1] as Socket;
    this.#pipe.write(hello);
    log('generation %d is started, by process %d', generation, this.#process.pid);
    this.serving = this.#waitUntilServing(options, nonce);
  }

  /** Undefined if the process could not be started, or has not yet sent its pid. */
  get pid(): number | undefined {
    return this.#pid;
  }

  /** Stops a successor that is not ready: first by SIGTERM, as it may have accepted a connection already, later by SIGKILL. */
  stop(why: string): void {
    if (this.#stopped !== undefined) return;
    this.#stopped = why;
    this.#signal('SIGTERM');
    this.#kill = setTimeout(() => {
      this.#signal('SIGKILL');
      // Without its pid, one that an intermediate started cannot be signalled.
      if (this.#pid === undefined) this.#pipe.destroy();
    }, KILL_AFTER_MS);
  }

  /** Leaves a successor that is ready to itself; `restartAgain` passes on a restart that was requested meanwhile. */
  release(restartAgain: boolean): void {
    if (restartAgain) this.#pipe.write(formatMessage({ type: 'restart' }));
    this.#process.unref();
    this.#process.channel?.unref();
    (this.#pipe as Socket).unref();
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
   * How a successor ended that had served. Waits a moment for its exit, as the kernel
   * closes the pipe before it reports that; or not, if it still runs.
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
    if (!wanted.every((fd) => this.#returns.includes(fd))) return undefined;
    return this.#returned?.take(wanted);
  }

  /** Tells a successor that is ready something, see Carried.tell(). */
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

  #waitUntilServing({ sockets, timeout, onAsk, moves }: SuccessorOptions, nonce: string): Promise<ReadonlySet<number>> {
    return new Promise((resolve, reject) => {
      let closed: NodeJS.Timeout | undefined;
      let kept: ReadonlySet<number> = new Set();
      let lastLook: NodeJS.Immediate | undefined;
      const giveUpLater = (): NodeJS.Timeout =>
        setTimeout(() => {
          // Timers run before the pipe is read: if this process was busy or stopped, the message may be waiting there.
          lastLook = setImmediate(() => this.stop(`was not ready within ${timeout} ms`));
        }, timeout);
      let timer = giveUpLater();
      const stopTimer = (): void => {
        clearTimeout(timer);
        clearImmediate(lastLook);
      };
      const onPipeEnd = (): void => {
        closed = setTimeout(() => this.stop('closed the handoff pipe'), EXIT_AFTER_CLOSE_MS);
      };
      const settle = (): void => {
        stopTimer();
        clearTimeout(closed);
        clearTimeout(this.#kill);
        this.#pipe.off('end', onPipeEnd);
      };
      const fail = (code: number | null, signal: NodeJS.Signals | null, cause?: Error): void => {
        settle();
        stopReading();
        this.#pipe.destroy();
        reject(successorError(this.#endingBy(code, signal, cause), this.#stopped));
      };
      const stopReading = readLines(this.#pipe, (line) => {
        const message = parseSuccessorMessage(line);
        if (message?.type === 'started') this.#onStarted(message.pid);
        if (message?.type === 'stderr') this.#stderr = endOf(this.#stderr + message.text);
        if (message?.type === 'exit') this.#reportedCode = message.code;
        if (message?.type === 'ask') onAsk(message.key, message.value);
        // One that was given up gets no acknowledgement, so it does not take over.
        if (message === undefined || !('nonce' in message) || message.nonce !== nonce || this.#stopped !== undefined) return;
        if (message.type === 'ready') {
          this.#pid ??= message.pid;
          kept = new Set(sockets.filter((_, index) => message.kept.includes(FIRST_FD + index)).map(({ fd }) => fd));
        }
        if (message.type === 'ready' && moves && this.#process.connected && message.takes !== undefined) {
          const sender = new ConnectionSender(this.#process, message.takes);
          this.#pipe.once('close', () => sender.end());
          this.#sender = sender;
        }
        if (message.type === 'ready' && message.waits === true) {
          this.#pipe.write(formatMessage({ type: 'yours', nonce }));
          stopTimer();
          timer = giveUpLater();
        } else if (message.type !== 'starting') {
          settle();
          if (message.type === 'serving') this.#returns = message.returns ?? [];
          this.#pipe.once('close', () => this.onEnd());
          // Others are those of the channel.
          this.#process
            .removeAllListeners('close')
            .removeAllListeners('error')
            .on('error', (error) => log('%s', error.message));
          resolve(kept);
        }
      });
      // 'close' comes after 'exit', when all of the pipe is read.
      this.#process.once('close', (code, signal) => {
        // This is the exit of the intermediate. That of the successor is seen by its pid, without exit code.
        if (this.#throughIntermediate) void untilGone(this.#pid).then(() => fail(null, null));
        else fail(code, signal);
      });
      this.#process.once('error', (error) => fail(null, null, error));
      this.#pipe.once('end', onPipeEnd);
    });
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
