import { type ChildProcess } from 'node:child_process';
import { type NotifyVariables } from '../handoff/environment.js';
import { GraceError, show } from '../errors.js';
import { logger } from '../log.js';
import { NOTIFY_SOCKET, WATCHDOG_PID, WATCHDOG_USEC } from '../handoff/protocol.js';

const log = logger('notify');

/** systemd-notify itself waits 5 s for the answer; longer means that it hangs. */
const HELPER_TIMEOUT_MS = 6_000;
/** systemd, when it stops a service, also signals a helper that was started a moment ago. */
const ATTEMPTS = 3;
const MICROSECONDS_PER_MILLISECOND = 1_000;

/** One message: the assignments of sd_notify(3). */
export type Assignments = Readonly<Record<string, string | number>>;

/**
 * How often systemd has to hear of this process, see sd_watchdog_enabled(3).
 *
 * @returns milliseconds; undefined where there is no watchdog, or another process is meant.
 * @throws GraceError `INHERITANCE_INVALID`
 */
export function watchdogTimeout({ watchdogUsec, watchdogPid }: NotifyVariables, self: number): number | undefined {
  if (watchdogUsec === undefined) return undefined;
  if (watchdogPid !== undefined && readPositive(WATCHDOG_PID, watchdogPid) !== self) return undefined;
  return readPositive(WATCHDOG_USEC, watchdogUsec) / MICROSECONDS_PER_MILLISECOND;
}

function readPositive(subject: string, value: string): number {
  const number = /^\d{1,19}$/.test(value) ? Number(value) : 0;
  if (number > 0) return number;
  throw new GraceError('INHERITANCE_INVALID', `${subject}=${show(value)} is no whole number above 0`, { subject, value });
}

interface Message {
  assignments: Assignments;
  readonly delivered: Promise<boolean>;
  readonly settle: (delivered: boolean) => void;
}

/**
 * The socket on which systemd listens. It is an AF_UNIX datagram socket, which
 * Node.js does not speak, so the program `systemd-notify` does; it returns when
 * systemd has read the message. One runs at a time, as the order counts, and
 * what is to be said meanwhile becomes one message.
 */
export class NotifySocket {
  readonly #path: string;
  #helper: ChildProcess | undefined;
  #next: Message | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
  }

  /** Fulfils with whether systemd has read it; a socket that does not answer is no reason not to serve. */
  send(assignments: Assignments): Promise<boolean> {
    if (this.#next === undefined) this.#next = newMessage(assignments);
    else this.#next.assignments = { ...this.#next.assignments, ...assignments };
    const { delivered } = this.#next;
    if (this.#helper === undefined) this.#sendNext();
    return delivered;
  }

  /** Says nothing more, nor to the end what is being said. */
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
        finish(code === 0 ? 'read' : `not read, systemd-notify ended with ${code ?? signal}`, code === 0);
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

function spawnHelper(socket: string, lines: readonly string[]): ChildProcess {
  const { PATH } = process.env;
  // Loaded when there is something to say: see require.ts.
  const { spawn } = process.getBuiltinModule('node:child_process');
  return spawn('systemd-notify', lines, {
    // The directory of a release may be gone by now.
    cwd: '/',
    env: { [NOTIFY_SOCKET]: socket, ...(PATH === undefined ? {} : { PATH }) },
    stdio: 'ignore',
  });
}
