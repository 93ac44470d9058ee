import { type ChildProcess } from 'node:child_process';
import { logger } from '../log.js';
import { NOTIFY_SOCKET } from './notify-variables.js';

const log = logger('notify');

/** systemd-notify waits 5 s for systemd's answer; if it takes longer, it hangs. */
const HELPER_TIMEOUT_MS = 6_000;
const CLOSED = 'this process sends nothing more';
/** When systemd stops a service, its SIGTERM also hits a helper that is running. */
const ATTEMPTS = 3;

/** One message, see sd_notify(3). */
export type Assignments = Readonly<Record<string, string | number>>;

interface Message {
  assignments: Assignments;
  readonly failure: Promise<string | undefined>;
  readonly settle: (failure: string | undefined) => void;
}

/**
 * Sends messages to systemd. Its socket is an AF_UNIX datagram socket, which
 * Node.js does not support, so the program `systemd-notify` sends them; it exits
 * when systemd has read the message. One runs at a time, to keep the order, and
 * messages that come meanwhile are merged into one.
 */
export class NotifySocket {
  readonly #path: string;
  #helper: ChildProcess | undefined;
  #next: Message | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Whether it sends nothing more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Fulfils when systemd has read it, or with the reason why it has not; never rejects. */
  send(assignments: Assignments): Promise<string | undefined> {
    if (this.#next === undefined) this.#next = newMessage(assignments);
    else this.#next.assignments = merged(this.#next.assignments, assignments);
    const { failure } = this.#next;
    if (this.#helper === undefined) this.#sendNext();
    return failure;
  }

  /** Sends nothing more, and stops a message that is being sent. */
  close(): void {
    this.#closed = true;
    this.#next?.settle(CLOSED);
    this.#helper?.kill('SIGKILL');
  }

  #sendNext(): void {
    const message = this.#next;
    this.#next = undefined;
    if (message !== undefined) this.#deliver(message, 1);
  }

  #deliver(message: Message, attempt: number): void {
    if (this.#closed) {
      message.settle(CLOSED);
      return;
    }
    const lines = Object.entries(message.assignments).map(([name, value]) => `${name}=${value}`);
    const helper = spawnHelper(this.#path, lines);
    if (helper instanceof Error) {
      log('%s: %s', lines.join(' '), helper.message);
      message.settle(helper.message);
      return this.#sendNext();
    }
    this.#helper = helper;
    const timer = setTimeout(() => helper.kill('SIGKILL'), HELPER_TIMEOUT_MS);
    const finish = (failure: string | undefined): void => {
      clearTimeout(timer);
      log('%s: %s', lines.join(' '), failure ?? 'read');
      this.#helper = undefined;
      message.settle(failure);
      this.#sendNext();
    };
    helper.once('error', (error) => finish(error.message));
    helper.once('exit', (code, signal) => {
      if (signal === 'SIGTERM' && attempt < ATTEMPTS) {
        clearTimeout(timer);
        this.#deliver(message, attempt + 1);
      } else {
        finish(code === 0 ? undefined : `systemd-notify ended with ${code ?? signal}`);
      }
    });
  }
}

/** What is said later comes later: of READY, RELOADING and STOPPING in one message, systemd takes the last. */
function merged(earlier: Assignments, later: Assignments): Assignments {
  const kept = Object.entries(earlier).filter(([name]) => !(name in later));
  return Object.fromEntries([...kept, ...Object.entries(later)]);
}

function newMessage(assignments: Assignments): Message {
  let settle!: Message['settle'];
  const failure = new Promise<string | undefined>((resolve) => {
    settle = resolve;
  });
  return { assignments, failure, settle };
}

/** Without memory for a process, spawn() throws; other errors are emitted later. */
function spawnHelper(socket: string, lines: readonly string[]): ChildProcess | Error {
  const { PATH } = process.env;
  // Not imported at the top: see require.ts.
  const { spawn } = process.getBuiltinModule('node:child_process');
  try {
    return spawn('systemd-notify', lines, {
      // The directory of a release may be gone by now.
      cwd: '/',
      env: { [NOTIFY_SOCKET]: socket, ...(PATH === undefined ? {} : { PATH }) },
      stdio: 'ignore',
    });
  } catch (error) {
    return error as Error;
  }
}
