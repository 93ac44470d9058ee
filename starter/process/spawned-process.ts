import { type ChildProcess } from 'node:child_process';
import { messageOf } from '../../lib/errors.js';
import { type ManagedProcess, sendSignal } from './managed-process.js';
import { EXEC_FAILED, type WaitStatus, waitStatus } from './wait-status.js';

/** A child of this process. */
export class SpawnedProcess implements ManagedProcess {
  readonly exited: Promise<WaitStatus>;
  /** Undefined if there was no memory for a process. */
  readonly child: ChildProcess | undefined;
  #failure: string | undefined;
  #ended = false;

  /** @param spawn - throws if there is no memory for a process; other failures are emitted later. */
  constructor(spawn: () => ChildProcess) {
    const child = this.#attempt(spawn);
    this.child = child;
    this.exited = new Promise((done) => {
      if (child === undefined) return done(EXEC_FAILED);
      child.once('exit', (code, signal) => {
        this.#ended = true;
        done(waitStatus(code, signal));
      });
      // It may come more than once, and without a listener it would end start_server.
      child.on('error', (error) => {
        this.#failure ??= error.message;
        if (child.pid === undefined) done(EXEC_FAILED);
      });
    });
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  get failure(): string | undefined {
    return this.#failure;
  }

  /** What `stdio` has at a descriptor; with no descriptor left, spawn() returns a process without stdio. */
  stream(fd: number): unknown {
    return this.child?.stdio?.[fd];
  }

  signal(signal: NodeJS.Signals): string | undefined {
    return this.pid === undefined || this.#ended ? undefined : sendSignal(this.pid, signal);
  }

  #attempt(spawn: () => ChildProcess): ChildProcess | undefined {
    try {
      return spawn();
    } catch (error) {
      this.#failure = messageOf(error);
      return undefined;
    }
  }
}
