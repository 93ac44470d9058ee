import { spawn } from 'node:child_process';

/** What start_server tells systemd under `Type=notify`; nothing where it is not asked to. */
export interface Supervisor {
  ready(): void;
  reloading(): void;
  stopping(): void;
}

/** Node.js speaks no AF_UNIX datagrams; systemd-notify(1) does. One message at a time, so that they keep their order. */
export class Systemd implements Supervisor {
  readonly #socket: string | undefined;
  #last: Promise<void> = Promise.resolve();
  #state = '';

  /** @param socket - the variable `NOTIFY_SOCKET`. */
  constructor(socket: string | undefined) {
    this.#socket = socket;
  }

  ready(): void {
    this.#send('READY', 'READY=1', 'STATUS=serving');
  }

  reloading(): void {
    // Type=notify-reload wants the time of CLOCK_MONOTONIC, which is process.hrtime's.
    this.#send('RELOADING', 'RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=replacing the workers');
  }

  stopping(): void {
    this.#send('STOPPING', 'STOPPING=1', 'STATUS=waiting for the workers');
  }

  #send(state: string, ...assignments: string[]): void {
    const socket = this.#socket;
    if (socket === undefined || state === this.#state) return;
    this.#state = state;
    this.#last = this.#last.then(() => notify(socket, assignments));
  }
}

function notify(socket: string, assignments: readonly string[]): Promise<void> {
  return new Promise((done) => {
    const child = spawn('systemd-notify', assignments, { env: { ...process.env, NOTIFY_SOCKET: socket }, stdio: 'ignore' });
    // It comes with systemd; where it is not there, nobody listens either.
    child.once('error', () => done());
    child.once('exit', () => done());
  });
}
