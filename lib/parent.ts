import { fstatSync } from 'node:fs';
import net from 'node:net';
import { readLines } from './lines.js';
import { logger } from './log.js';
import { type Handoff, formatMessage, parseParentMessage } from './protocol.js';
import { stopStderrCopy } from './stderr-copy.js';

const log = logger('parent');

/** The parent writes its greeting before this process is started, so it is there; a forged pipe is silent. */
const GREETING_TIMEOUT_MS = 2_000;

/** The process that hands its sockets over to this one: the child's end of the conversation. */
export class Parent {
  readonly pid: number;
  readonly generation: number;
  /** What the parent passed beside its sockets, see Grace.carry(). */
  readonly state: Readonly<Record<string, unknown>>;
  /** Called where the parent was asked to restart again while this process started. */
  onRestart: () => void = () => undefined;
  readonly #pipe: net.Socket;
  readonly #nonce: string;

  private constructor(handoff: Handoff, pipe: net.Socket, state: Readonly<Record<string, unknown>>) {
    this.pid = handoff.pid;
    this.generation = handoff.generation;
    this.state = state;
    this.#pipe = pipe;
    this.#nonce = handoff.nonce;
  }

  /** False where the parent died: then this process is alone with the sockets. */
  get alive(): boolean {
    return !this.#pipe.destroyed;
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
    const pipe = openPipe(handoff.pipe);
    if (pipe === undefined) return undefined;
    const hello = await greeting(pipe, handoff.nonce);
    if (hello === undefined) {
      pipe.destroy();
      return undefined;
    }
    const parent = new Parent(handoff, pipe, hello.state);
    parent.#listen();
    return parent;
  }

  /**
   * Says that this process serves. The parent stops accepting when it reads
   * this; where it died meanwhile there is nobody to tell, and this process
   * carries on alone.
   *
   * @param kept - the descriptors that this process goes on serving.
   */
  ready(kept: readonly number[]): Promise<void> {
    stopStderrCopy();
    return new Promise((done) => {
      if (!this.#pipe.writable) return done();
      const message = formatMessage({ type: 'ready', nonce: this.#nonce, pid: process.pid, kept });
      this.#pipe.write(message, () => done());
    });
  }

  #listen(): void {
    readLines(this.#pipe, (line) => {
      if (parseParentMessage(line)?.type === 'restart') this.onRestart();
    });
    this.#pipe.on('close', () => {
      log('process %d closed the pipe', this.pid);
      stopStderrCopy();
    });
    this.#pipe.on('error', (error) => log('pipe: %s', error.message));
    this.#pipe.on('end', () => this.#pipe.destroy());
    this.#pipe.unref();
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

function greeting(pipe: net.Socket, nonce: string): Promise<{ state: Readonly<Record<string, unknown>> } | undefined> {
  return new Promise((done) => {
    const finish = (state?: Readonly<Record<string, unknown>>): void => {
      clearTimeout(timer);
      stop();
      pipe.off('close', onClose).off('error', onClose);
      pipe.pause();
      done(state && { state });
    };
    const onClose = (): void => finish();
    const timer = setTimeout(onClose, GREETING_TIMEOUT_MS);
    const stop = readLines(pipe, (line) => {
      const message = parseParentMessage(line);
      finish(message?.type === 'hello' && message.nonce === nonce ? message.state : undefined);
    });
    pipe.once('close', onClose).once('error', onClose);
  });
}
