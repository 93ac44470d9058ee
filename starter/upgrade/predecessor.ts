import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import { isOpenSocket } from '../../lib/check/file-type.js';
import { GraceError } from '../../lib/errors.js';
import { formatLine } from '../../lib/handoff/json.js';
import { readLines } from '../../lib/handoff/lines.js';
import { formatMessage } from '../../lib/handoff/messages.js';
import { SUPERDAEMON } from '../../lib/handoff/predecessor.js';
import { removeSocketFile } from '../../lib/socket/socket-file.js';
import { type Settings } from '../options.js';
import { WatchedProcess } from '../process/watched-process.js';
import { type HeldSocket } from '../sockets/held-socket.js';
import { type Snapshot } from '../workers/snapshot.js';
import { Worker } from '../workers/worker.js';
import {
  type Hello,
  type PassedSocket,
  type PassedWorker,
  UPGRADE,
  type UpgradeMessage,
  VERSION,
  type Yours,
  parseMessage,
} from './messages.js';

/** The new start_server's end of the conversation with the one that it replaces. */
export class UpgradePredecessor {
  readonly #pipe: Socket;
  readonly #waiting = new Map<UpgradeMessage['type'], (message: UpgradeMessage) => void>();
  readonly #fail: (error: GraceError) => void;
  readonly #failed: Promise<never>;

  private constructor(fd: number) {
    let fail!: (error: GraceError) => void;
    this.#failed = new Promise((_, reject) => {
      fail = reject;
    });
    this.#failed.catch(() => undefined);
    this.#fail = fail;
    this.#pipe = new Socket({ fd, readable: true, writable: true });
    this.#pipe.on('error', () => undefined);
    this.#pipe.on('close', () =>
      this.#fail(new GraceError('STATE_INVALID', 'the start_server to be replaced has given this one up, or has exited')),
    );
    readLines(this.#pipe, (line) => {
      const message = parseMessage(line);
      if (message !== undefined) this.#waiting.get(message.type)?.(message);
    });
    this.#say({ type: 'started', pid: process.pid });
  }

  /** Undefined if this process does not replace another one. Takes the variable away from the workers. */
  static find(): UpgradePredecessor | undefined {
    const text = process.env[UPGRADE];
    delete process.env[UPGRADE];
    const fd = Number(text);
    return text !== undefined && isOpenSocket(fd) ? new UpgradePredecessor(fd) : undefined;
  }

  /** @throws GraceError `STATE_INVALID` if it has exited, or is of a version that this one does not understand. */
  async hello(): Promise<Hello> {
    const hello = (await this.#next('hello')) as Hello;
    if (hello.version === VERSION) return hello;
    throw new GraceError(
      'STATE_INVALID',
      `the start_server to be replaced speaks version ${hello.version}, this one ${VERSION}: stop it, and start this one`,
    );
  }

  /** Says that this process is ready; fulfils when everything belongs to it. */
  async takeOver(settings: Settings, say: (message: string) => void): Promise<Snapshot> {
    const next = this.#next('yours');
    this.#say({ type: 'ready', pid: process.pid });
    const { generation, counted, restarts, queued, workers } = (await next) as Yours;
    return { generation, counted, restarts, queued, workers: workers.map((worker) => adoptWorker(worker, settings, say)) };
  }

  /** Says that this process serves. */
  serves(): void {
    this.#say({ type: 'serving', pid: process.pid });
    this.#pipe.unref();
  }

  fails(reason: string): void {
    this.#say({ type: 'failed', reason });
  }

  async #next(type: UpgradeMessage['type']): Promise<UpgradeMessage> {
    const message = new Promise<UpgradeMessage>((done) => this.#waiting.set(type, done));
    return Promise.race([message, this.#failed]);
  }

  #say(message: UpgradeMessage): void {
    this.#pipe.write(formatLine(message));
  }
}

/** The sockets that the start_server before this one held. */
export function takeSockets(passed: readonly PassedSocket[]): HeldSocket[] {
  return passed.map(({ file, fd, bound, target, ...rest }) => {
    const close = (): void => {
      if (bound.kind === 'unix' && file !== undefined) removeSocketFile(bound.path, file);
      closeSync(fd);
    };
    return { ...rest, target, file, fd, bound, close };
  });
}

/** A worker that the start_server before this one has started. It is not a child of this process. */
function adoptWorker({ pipe: fd, ...passed }: PassedWorker, { interval, killTimeout }: Settings, say: (message: string) => void): Worker {
  const process = new WatchedProcess(passed);
  const pipe = fd === undefined || !isOpenSocket(fd) ? undefined : new Socket({ fd, readable: true, writable: true });
  pipe?.on('error', () => undefined);
  // End of file: the worker has exited, or has closed the pipe.
  pipe?.on('close', () => process.lookNow());
  pipe?.resume();
  pipe?.write(formatMessage({ type: 'news', key: SUPERDAEMON, value: globalThis.process.pid }));
  void process.exited.then(() => pipe?.destroy());
  return new Worker({ ...passed, process, pipe, interval, killTimeout, say });
}
