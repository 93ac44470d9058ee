import { type EventEmitter } from 'node:events';
import { type Server } from 'node:net';
import { Deadline } from '../deadline.js';
import { type NotifyVariables } from '../handoff/environment.js';
import { type GraceError } from '../errors.js';
import { type GraceEvents } from '../events.js';
import { NotifySocket, watchdogTimeout } from './notify-socket.js';
import { NOTIFY_SOCKET, WATCHDOG_USEC } from '../handoff/protocol.js';
import { keepAwake } from './watchdog.js';

/** What systemd hears of. */
export interface Reported extends EventEmitter<GraceEvents> {
  readonly generation: number;
  readonly predecessor: number | undefined;
  readonly sockets: readonly { readonly address: string; readonly server: Server | undefined }[];
}

/** How often a drain says that it goes on, … */
const DRAIN_REPORT_EVERY_MS = 5_000;
/** … and the time that it asks for with that: twice it may be late. */
const DRAIN_EXTENSION_USEC = 3 * DRAIN_REPORT_EVERY_MS * 1_000;
/** systemd drops datagrams above 4096 bytes, and a status is one line among others of `systemctl status`. */
const STATUS_CHARACTERS = 800;
/** The service ends where systemd does not learn of its new main process, so that is said more than once. */
const HANDOVER_ATTEMPTS = 3;
/** systemd-notify takes a few milliseconds, and more on a machine that has much to do. */
const HANDOVER_PATIENCE_MS = 2_000;

/** Tells systemd what happens to a service, see sd_notify(3). */
export class Systemd {
  /** What a successor needs to tell systemd in its turn. `WATCHDOG_PID` is left out: its pid is not known before it runs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #socket: NotifySocket;
  readonly #grace: Reported;
  readonly #watchdog: number | undefined;
  #stopWatchdog: () => void = () => undefined;
  #handedOver: Promise<void> | undefined;
  #reporting: NodeJS.Timeout | undefined;

  /** @throws GraceError `INHERITANCE_INVALID` for a `WATCHDOG_USEC` or `WATCHDOG_PID` that is none. */
  constructor(grace: Reported, variables: NotifyVariables) {
    this.#grace = grace;
    this.#socket = new NotifySocket(variables.socket);
    this.#watchdog = watchdogTimeout(variables, process.pid);
    this.environment = {
      [NOTIFY_SOCKET]: variables.socket,
      ...(this.#watchdog === undefined ? {} : { [WATCHDOG_USEC]: variables.watchdogUsec! }),
    };
    grace.once('ready', () => this.#onReady());
  }

  /** Says why a restart failed; the reload that systemd waits for is over with that. */
  restartFailed({ message }: GraceError): void {
    void this.#socket.send({ READY: 1, STATUS: oneLine(message) });
  }

  /**
   * The service stops: asks systemd to wait for the drain, at once and then again
   * and again. systemd's patience begins anew with each of its signals.
   */
  reportDrain(): void {
    clearInterval(this.#reporting);
    void this.#reportDrain();
    this.#reporting = setInterval(() => void this.#reportDrain(), DRAIN_REPORT_EVERY_MS).unref();
  }

  /**
   * Fulfils when this process may leave: where it handed over, not before systemd
   * knows the new main process, as the service would end with the old one.
   *
   * @param patience - milliseconds for a socket that does not answer.
   */
  async finish(patience: number): Promise<void> {
    clearInterval(this.#reporting);
    if (this.#handedOver !== undefined) {
      const deadline = new Deadline(Math.max(patience, HANDOVER_PATIENCE_MS));
      await deadline.bound(this.#handedOver);
      deadline.clear();
    }
    this.#socket.close();
  }

  #onReady(): void {
    const grace = this.#grace;
    // The predecessor tells of its successor: it is the one that knows when the hand-over is complete.
    if (grace.predecessor === undefined) {
      const addresses = grace.sockets.map(({ address }) => address).join(', ');
      void this.#socket.send({ READY: 1, STATUS: `generation ${grace.generation} serves ${addresses}` });
    }
    if (this.#watchdog !== undefined) {
      this.#stopWatchdog = keepAwake(this.#watchdog, () => void this.#socket.send({ WATCHDOG: 1 }));
    }
    grace.on('restarting', () => this.#onRestarting());
    grace.once('restarted', ({ pid }) => {
      this.#stopWatchdog();
      this.#handedOver = this.#handOver(pid);
    });
    grace.once('draining', ({ reason }) => {
      if (reason !== 'stop') return;
      void this.#socket.send({ STOPPING: 1 });
      this.reportDrain();
    });
    grace.once('closed', () => this.#stopWatchdog());
  }

  #onRestarting(): void {
    const { generation } = this.#grace;
    void this.#socket.send({
      RELOADING: 1,
      MONOTONIC_USEC: String(process.hrtime.bigint() / 1_000n),
      STATUS: `generation ${generation} serves, generation ${generation + 1} is being started`,
    });
  }

  /** The last that this process says: what its successor has to tell from here on must not be overwritten. */
  async #handOver(pid: number): Promise<void> {
    const { generation } = this.#grace;
    const open = await this.#openConnections();
    const status = `generation ${generation + 1} serves, generation ${generation} handed over and drains ${open}`;
    for (let attempt = 1; attempt <= HANDOVER_ATTEMPTS; attempt += 1) {
      if (await this.#socket.send({ MAINPID: pid, READY: 1, STATUS: status })) return;
    }
  }

  async #reportDrain(): Promise<void> {
    const open = await this.#openConnections();
    await this.#socket.send({
      STATUS: `generation ${this.#grace.generation} stops and drains ${open}`,
      EXTEND_TIMEOUT_USEC: DRAIN_EXTENSION_USEC,
    });
  }

  async #openConnections(): Promise<string> {
    const counts = await Promise.all(this.#grace.sockets.map(({ server }) => countConnections(server)));
    const sum = counts.reduce((total, count) => total + count, 0);
    return sum === 1 ? '1 open connection' : `${sum} open connections`;
  }
}

function countConnections(server: Server | undefined): Promise<number> {
  return new Promise((done) => {
    if (server === undefined) done(0);
    else server.getConnections((_, count) => done(count ?? 0));
  });
}

/** systemd takes one line for a status. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, STATUS_CHARACTERS);
}
