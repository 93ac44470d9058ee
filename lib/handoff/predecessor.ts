import fs from 'node:fs';
import net from 'node:net';
import { isOpenSocket } from '../check/file-type.js';
import { logger } from '../log.js';
import { isRunning } from '../process-table.js';
import { type Handoff } from './handoff-variable.js';
import { untilGone } from '../launch/intermediate.js';
import { isCount } from './json.js';
import { readLines } from './lines.js';
import { type SuccessorMessage, formatMessage, parsePredecessorMessage } from './messages.js';
import { type Preload } from '../launch/preload-contract.js';

const log = logger('predecessor');

/** The predecessor writes its greeting when it starts this process, so the greeting is there already; a forged pipe stays silent. */
const GREETING_TIMEOUT_MS = 2_000;

/** The key under which start_server tells its new pid after it has replaced itself. */
export const SUPERDAEMON = 'ts-grace.superdaemon';

/** What the greeting says. */
interface Greeting {
  readonly state: Readonly<Record<string, unknown>>;
  readonly acknowledges?: boolean;
  readonly watches?: boolean;
}

/**
 * The process that hands its sockets over to this one: the generation before, or
 * start_server. This is the successor's end of the conversation.
 */
export class Predecessor {
  /** What came beside the sockets, see Carried.leave(). */
  readonly state: Greeting['state'];
  /** Called if a further restart was requested while this process started. */
  onRestart: () => void = () => undefined;
  /** Called with what the predecessor tells while it drains, by key; see Carried.tell(). */
  readonly onNews = new Map<string, (value: unknown) => void>();
  /** Called when the predecessor has drained, or died. */
  readonly onGone: (() => void)[] = [];
  readonly #handoff: Handoff;
  readonly #preload: Preload | undefined;
  readonly #acknowledges: boolean;
  #pipe: net.Socket | undefined;
  /** Whether the predecessor wants to hear of the end of this process even after this process serves. */
  readonly watches: boolean;
  #release: () => void = () => undefined;
  #waiting = true;
  #silent = false;
  /** The start_server that took over from the one that started this process. */
  #replacedBy: number | undefined;

  private constructor(handoff: Handoff, greeting: Greeting, preload: Preload | undefined, pipe: net.Socket | undefined) {
    this.#handoff = handoff;
    this.state = greeting.state;
    this.#acknowledges = greeting.acknowledges === true;
    this.watches = greeting.watches === true;
    this.#preload = preload;
    this.#pipe = pipe;
  }

  get pid(): number {
    return this.#replacedBy ?? this.#handoff.pid;
  }

  /** The generation of this process. */
  get generation(): number {
    return this.#handoff.generation;
  }

  /** Descriptor of the socket that all generations share with the first process; undefined if there is none. */
  get follow(): number | undefined {
    const { follow } = this.#handoff;
    return follow !== undefined && isOpenSocket(follow) ? follow : undefined;
  }

  /** Whether it is start_server, which stays and does the restarts. */
  get superdaemon(): boolean {
    return this.#handoff.superdaemon === true;
  }

  /** False if the predecessor died: then no other process serves on the sockets. */
  get alive(): boolean {
    return isRunning(this.pid);
  }

  /** Undefined if the pipe is not there or its other end does not repeat the nonce: then the variable has leaked. */
  static async open(handoff: Handoff, preload: Preload | undefined): Promise<Predecessor | undefined> {
    if (!isOpenSocket(handoff.pipe)) return undefined;
    if (preload !== undefined) {
      const greeting = readGreeting(preload.greeting, handoff.nonce);
      return greeting && new Predecessor(handoff, greeting, preload, undefined);
    }
    const pipe = openPipe(handoff.pipe);
    if (pipe === undefined) return undefined;
    const greeting = await waitForGreeting(pipe, handoff.nonce);
    if (greeting === undefined) {
      pipe.destroy();
      return undefined;
    }
    const predecessor = new Predecessor(handoff, greeting, undefined, pipe);
    // Without this, start_server would count this program as ready when it has run for a while, as it does with any program.
    if (predecessor.superdaemon) predecessor.#say({ type: 'starting', nonce: handoff.nonce });
    return predecessor;
  }

  /**
   * A predecessor that died before its greeting: there is no conversation. Nobody
   * can repeat the nonce, so the sockets themselves have to prove that the variable
   * is meant for this process.
   */
  static orphaned(handoff: Handoff, preload: Preload | undefined): Predecessor {
    const orphaned = new Predecessor(handoff, { state: {} }, preload, undefined);
    orphaned.#silent = true;
    return orphaned;
  }

  /**
   * Says that this process is ready. Fulfils when it may take over: when the
   * predecessor has acknowledged, or has died. A predecessor that gave this process
   * up does not acknowledge, and ends it.
   *
   * @param kept - the descriptors that this process goes on serving.
   * @param takes - the kinds of connections that this process takes.
   */
  async ready(kept: readonly number[], takes: readonly string[]): Promise<void> {
    if (!this.#acknowledges) return;
    const { nonce, pipe } = this.#handoff;
    this.#pipe ??= openPipe(pipe);
    this.#goOnReporting();
    this.#say({ type: 'ready', nonce, pid: process.pid, kept, waits: true, takes });
    if (this.#pipe === undefined) return;
    const released = new Promise<void>((done) => {
      this.#release = done;
    });
    this.#listen(this.#pipe);
    await released;
  }

  /**
   * Says that this process serves; the predecessor may stop accepting when it reads this.
   *
   * @param returns - the sockets, by their numbers here, of which the predecessor gets a descriptor back.
   */
  serving(kept: readonly number[], returns: readonly number[] = []): void {
    if (!this.watches) this.stopReporting();
    this.#waiting = false;
    if (this.#silent) return;
    const { nonce, pipe } = this.#handoff;
    this.#say(
      this.#acknowledges
        ? { type: 'serving', nonce, ...(returns.length > 0 && { returns }) }
        : { type: 'ready', nonce, pid: process.pid, kept },
    );
    if (!this.#acknowledges) {
      this.#pipe ??= openPipe(pipe);
      if (this.#pipe !== undefined) this.#listen(this.#pipe);
    }
    this.#pipe?.unref();
  }

  /** Ends the copying of stderr and the report of the exit code. */
  stopReporting(): void {
    this.#preload?.stop();
  }

  /** Once the pipe is open as a stream, nothing else may write to its number: another file may have it later. */
  #goOnReporting(): void {
    const pipe = this.#pipe;
    if (!this.watches || pipe === undefined || this.#preload?.goOn === undefined) return this.stopReporting();
    this.#preload.goOn((line) => {
      if (pipe.writable) pipe.write(line);
    });
  }

  /** This process stops before it is ready: nothing waits for the predecessor any longer. */
  leave(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#pipe?.destroy();
  }

  /** Asks the predecessor for something while it drains, see Carried.ask(). Returns false if the predecessor cannot hear it. */
  ask(key: string, value: unknown): boolean {
    if (this.#pipe?.writable !== true) return false;
    this.#pipe.write(formatMessage({ type: 'ask', key, value }));
    return true;
  }

  #say(message: SuccessorMessage): void {
    // The number may belong to another file by now.
    if (this.#pipe?.destroyed === true) return;
    const line = formatMessage(message);
    // A copy of stderr is on its way, and the line must not come into the middle of it.
    if (this.#pipe !== undefined && this.#pipe.writableLength > 0) {
      this.#pipe.write(line);
      return;
    }
    try {
      fs.writeSync(this.#handoff.pipe, line);
    } catch (error) {
      log('process %d is gone, carrying on alone: %s', this.pid, error);
    }
  }

  /** Until the predecessor closes the pipe it may pass on a restart, and news of its drain. */
  #listen(pipe: net.Socket): void {
    readLines(pipe, (line) => {
      const message = parsePredecessorMessage(line);
      if (message?.type === 'yours' && message.nonce === this.#handoff.nonce) this.#release();
      if (message?.type === 'restart') this.onRestart();
      if (message?.type === 'news' && message.key === SUPERDAEMON && isCount(message.value)) this.#replacedBy = message.value;
      if (message?.type === 'news') this.onNews.get(message.key)?.(message.value);
    });
    pipe.on('close', () => {
      log('process %d closed the pipe', this.pid);
      this.onGone.forEach((handler) => handler());
      // The predecessor also closes the pipe of a successor that it gave up, and goes on serving.
      if (this.#waiting) void untilGone(this.pid, () => !this.#waiting).then(this.#release);
    });
    pipe.on('error', (error) => log('pipe: %s', error.message));
    pipe.on('end', () => pipe.destroy());
    // It may have been paused after the greeting, which a listener for 'data' does not undo.
    pipe.resume();
  }
}

function openPipe(fd: number): net.Socket | undefined {
  try {
    return new net.Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  } catch (error) {
    log('descriptor %d is not a pipe: %s', fd, error);
    return undefined;
  }
}

/** A greeting that repeats the nonce. */
function readGreeting(line: string, nonce: string): Greeting | undefined {
  const message = parsePredecessorMessage(line);
  return message?.type === 'hello' && message.nonce === nonce ? message : undefined;
}

function waitForGreeting(pipe: net.Socket, nonce: string): Promise<Greeting | undefined> {
  return new Promise((done) => {
    const finish = (line = ''): void => {
      clearTimeout(timer);
      stop();
      pipe.off('end', onClose).off('close', onClose).off('error', onClose).pause();
      done(readGreeting(line, nonce));
    };
    const onClose = (): void => finish();
    const timer = setTimeout(onClose, GREETING_TIMEOUT_MS);
    const stop = readLines(pipe, finish);
    pipe.once('end', onClose).once('close', onClose).once('error', onClose);
  });
}
