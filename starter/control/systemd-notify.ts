import { type Assignments, NotifySocket } from '../../lib/systemd/notify-socket.js';

const NANOSECONDS_PER_MICROSECOND = 1_000n;

/** What start_server tells systemd under `Type=notify`, see sd_notify(3). */
export class SystemdNotify {
  readonly #socket: NotifySocket | undefined;
  #lastSent: Promise<unknown> = Promise.resolve();
  #state = '';

  /** @param path - the variable `NOTIFY_SOCKET`; undefined or empty: nothing is sent. */
  constructor(path = '') {
    this.#socket = path === '' ? undefined : new NotifySocket(path);
  }

  /** Whether systemd listens. */
  get listens(): boolean {
    return this.#socket !== undefined;
  }

  ready(): void {
    this.#send('READY', { READY: 1, STATUS: 'serving' });
  }

  reloading(): void {
    // Type=notify-reload needs the time of CLOCK_MONOTONIC, which is that of process.hrtime.
    const now = String(process.hrtime.bigint() / NANOSECONDS_PER_MICROSECOND);
    this.#send('RELOADING', { RELOADING: 1, MONOTONIC_USEC: now, STATUS: 'replacing the workers' });
  }

  /** This process is the main one now. Fulfils when systemd has read it. */
  async takeOver(): Promise<void> {
    this.#state = '';
    this.#send('READY', { READY: 1, MAINPID: process.pid, STATUS: 'serving' });
    await this.#lastSent;
  }

  stopping(): void {
    this.#send('STOPPING', { STOPPING: 1, STATUS: 'waiting for the workers' });
  }

  /** Each state is a message of its own: the socket would join messages that wait, and systemd would miss a state. */
  #send(state: string, assignments: Assignments): void {
    const socket = this.#socket;
    if (socket === undefined || state === this.#state) return;
    this.#state = state;
    this.#lastSent = this.#lastSent.then(() => socket.send(assignments));
  }
}
