import { type ChildProcess } from 'node:child_process';
import { logger } from '../log.js';
import { NOTIFY_SOCKET } from './notify-variables.js';

const log = logger('notify');

/** systemd-notify waits 5 s for systemd's answer; if it takes longer, it hangs. */
const HELPER_TIMEOUT_MS = 6_000;
/** When systemd stops a service, its SIGTERM also hits a helper that is running. */
const ATTEMPTS = 3;

/** One message, see sd_notify(3). */
export type Assignments = Readonly<Record<string, string | number>>;

interface Message {
  assignments: Assignments;
  readonly delivered: Promise<boolean>;
  readonly settle: (delivered: boolean) => void;
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

  /** Fulfils with whether systemd has read it; never rejects, because the service works without. */
  send(assignments: Assignments): Promise<boolean> {
    if (this.#next === undefined) this.#next = newMessage(assignments);
    else this.#next.assignments = { ...this.#next.assignments, ...assignments };
    const { delivered } = this.#next;
    if (this.#helper === undefined) this.#sendNext();
    return delivered;
  }

  /** Sends nothing more, and stops a message that is being sent. */
  close(): void {
    this.#closed = true;
    this.#next?.settle(false);
    this.#helper?.kill('SIGKILL');
  }

  #sendNext(): void {
    const message = this.#next;
    this.#next = undefined;
    if (message !== undefined) this.#deliver(message, 1);
  }

  #deliver(message: Message, attempt: number): void {
    if (this.#closed) {
      message.settle(false);
      return;
    }
    const lines = Object.entries(message.assignments).map(([name, value]) => `${name}=${value}`);
    const helper = spawnHelper(this.#path, lines);
    if (helper instanceof Error) {
      log('%s: %s', lines.join(' '), helper.message);
      message.settle(false);
      return this.#sendNext();
    }
    this.#helper = helper;
    const timer = setTimeout(() => helper.kill('SIGKILL'), HELPER_TIMEOUT_MS);
    const finish = (outcome: string, delivered: boolean): void => {
      clearTimeout(timer);
      log('%s: %s', lines.join(' '), outcome);
      this.#helper = undefined;
      message.settle(delivered);
      this.#sendNext();
    };
    helper.once('error', (error) => finish(error.message, false));
    helper.once('exit', (code, signal) => {
      if (signal === 'SIGTERM' && attempt < ATTEMPTS) {
        clearTimeout(timer);
        this.#deliver(message, attempt + 1);
      } else {
        finish(code === 0 ? 'read' : `not read, systemd-notify exited with ${code ?? signal}`, code === 0);
      }
    });
  }
}

function newMessage(assignments: Assignments): Message {
  let settle!: (delivered: boolean) => void;
  const delivered = new Promise<boolean>((resolve) => {
    settle = resolve;
  });
  return { assignments, delivered, settle };
}

/** Without memory for a process spawn() throws; other errors are emitted later. */
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
