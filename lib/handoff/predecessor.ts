import { fstatSync, writeSync } from 'node:fs';
import net from 'node:net';
import { readLines } from './lines.js';
import { logger } from '../log.js';
import { type ChildMessage, type Handoff, formatMessage, parseParentMessage } from './protocol.js';
import { greetingOfPreload, stopStderrCopy } from './preload.js';

const log = logger('parent');

/** The parent writes its greeting when it starts this process, so it is there; a forged pipe is silent. */
const GREETING_TIMEOUT_MS = 2_000;

type State = Readonly<Record<string, unknown>>;

/** The process that hands its sockets over to this one: the child's end of the conversation. */
export class Parent {
  /** What the parent passed beside its sockets, see Grace.carry(). */
  readonly state: State;
  /** Called where the parent was asked to restart again while this process started. */
  onRestart: () => void = () => undefined;
  /** Called with what the parent tells while it drains, by key; see Grace.tell(). */
  readonly onNews = new Map<string, (value: unknown) => void>();
  /** Called when the parent has drained, or died. */
  readonly onGone: (() => void)[] = [];
  readonly #handoff: Handoff;
  #pipe: net.Socket | undefined;

  private constructor(handoff: Handoff, state: State, pipe: net.Socket | undefined) {
    this.#handoff = handoff;
    this.state = state;
    this.#pipe = pipe;
  }

  get pid(): number {
    return this.#handoff.pid;
  }

  /** The generation of this process. */
  get generation(): number {
    return this.#handoff.generation;
  }

  /** See Handoff; undefined where it is no socket. */
  get follow(): number | undefined {
    const { follow } = this.#handoff;
    return follow !== undefined && Parent.isPipe(follow) ? follow : undefined;
  }

  /** Whether it is a superdaemon, which stays and does the restarts. */
  get superdaemon(): boolean {
    return this.#handoff.superdaemon === true;
  }

  /** False where the parent died: then this process is alone with the sockets. */
  get alive(): boolean {
    try {
      return process.kill(this.pid, 0);
    } catch {
      return false;
    }
  }

  /** Whether a descriptor can be the pipe at all. */
  static isPipe(fd: number): boolean {
    try {
      return fstatSync(fd).isSocket();
    } catch {
      return false;
    }
  }

  /** Undefined where the pipe is not there or its other end does not repeat the nonce: then the variable leaked. */
  static async open(handoff: Handoff): Promise<Parent | undefined> {
    if (!Parent.isPipe(handoff.pipe)) return undefined;
    const early = greetingOfPreload();
    if (early !== undefined) {
      const state = readGreeting(early, handoff.nonce);
      return state && new Parent(handoff, state, undefined);
    }
    const pipe = openPipe(handoff.pipe);
    if (pipe === undefined) return undefined;
    const state = await waitForGreeting(pipe, handoff.nonce);
    if (state === undefined) {
      pipe.destroy();
      return undefined;
    }
    const parent = new Parent(handoff, state, pipe);
    // It cannot know what it runs: without this it takes a program that has lived for a while to be ready.
    if (parent.superdaemon) parent.#say({ type: 'starting', nonce: handoff.nonce });
    return parent;
  }

  /**
   * Says that this process serves. The parent stops accepting when it reads
   * this; where it died meanwhile there is nobody to tell, and this process
   * carries on alone.
   *
   * @param kept - the descriptors that this process goes on serving.
   */
  ready(kept: readonly number[]): void {
    stopStderrCopy();
    const { nonce, pipe } = this.#handoff;
    this.#say({ type: 'ready', nonce, pid: process.pid, kept });
    this.#pipe ??= openPipe(pipe);
    if (this.#pipe !== undefined) this.#listen(this.#pipe);
  }

  #say(message: ChildMessage): void {
    try {
      writeSync(this.#handoff.pipe, formatMessage(message));
    } catch (error) {
      log('process %d is gone, carrying on alone: %s', this.pid, error);
    }
  }

  /** Until the parent closes the pipe it may pass on a restart, and news of its drain. */
  #listen(pipe: net.Socket): void {
    readLines(pipe, (line) => {
      const message = parseParentMessage(line);
      if (message?.type === 'restart') this.onRestart();
      if (message?.type === 'news') this.onNews.get(message.key)?.(message.value);
    });
    pipe.on('close', () => {
      log('process %d closed the pipe', this.pid);
      this.onGone.forEach((handler) => handler());
    });
    pipe.on('error', (error) => log('pipe: %s', error.message));
    pipe.on('end', () => pipe.destroy());
    // It may have been paused after the greeting, which a listener for 'data' does not undo.
    pipe.resume().unref();
  }
}

function openPipe(fd: number): net.Socket | undefined {
  try {
    return new net.Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  } catch (error) {
    log('descriptor %d is no pipe: %s', fd, error);
    return undefined;
  }
}

/** The state in a greeting that repeats the nonce. */
function readGreeting(line: string, nonce: string): State | undefined {
  const message = parseParentMessage(line);
  return message?.type === 'hello' && message.nonce === nonce ? message.state : undefined;
}

function waitForGreeting(pipe: net.Socket, nonce: string): Promise<State | undefined> {
  return new Promise((done) => {
    const finish = (line = ''): void => {
      clearTimeout(timer);
      stop();
      pipe.off('close', onClose).off('error', onClose).pause();
      done(readGreeting(line, nonce));
    };
    const onClose = (): void => finish();
    const timer = setTimeout(onClose, GREETING_TIMEOUT_MS);
    const stop = readLines(pipe, finish);
    pipe.once('close', onClose).once('error', onClose);
  });
}
