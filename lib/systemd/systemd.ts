import { type EventEmitter } from 'node:events';
import { type Server } from 'node:net';
import { Deadline } from '../deadline.js';
import { GraceError, messageOf } from '../errors.js';
import { type GraceEvents } from '../events.js';
import { untilGone } from '../launch/intermediate.js';
import { warn } from '../log.js';
import { onSignals } from '../on-signals.js';
import { type SignalOptions } from '../options.js';
import { endingSignals, forwardedSignals } from '../signals/meaning.js';
import { type Assignments, NotifySocket } from './notify-socket.js';
import { NOTIFY_SOCKET, type NotifyVariables, WATCHDOG_USEC, watchdogTimeout } from './notify-variables.js';

/** The process that systemd is told about. */
export interface Reported extends EventEmitter<GraceEvents> {
  readonly settings: { readonly signals: Required<SignalOptions> };
  /** While this process may have to serve again, it stays the main process. */
  readonly probation: { readonly standby: { readonly proven: Promise<boolean> } | undefined };
  readonly generation: number;
  readonly predecessor: number | undefined;
  readonly sockets: readonly { readonly address: string; readonly server: Server | undefined }[];
}

/** How often a draining process tells systemd that it is still draining. */
const DRAIN_REPORT_EVERY_MS = 5_000;
/** The time that it asks for each time, in microseconds: two reports in a row may be late. */
const DRAIN_EXTENSION_USEC = 3 * DRAIN_REPORT_EVERY_MS * 1_000;
/** systemd drops datagrams above 4096 bytes, and a status is one line in `systemctl status`. */
const STATUS_CHARACTERS = 800;
/** If systemd does not learn its new main process, the service ends, so this message is repeated when it fails. */
const HANDOVER_ATTEMPTS = 3;
/** systemd-notify takes a few milliseconds, and longer on a busy machine. */
const HANDOVER_PATIENCE_MS = 2_000;
/** setTimeout() takes no more. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;

/** Tells systemd what happens to the service, see sd_notify(3). */
export class Systemd {
  /** The variables by which a successor can notify systemd too. Without `WATCHDOG_PID`, as its pid is not known before it runs. */
  readonly environment: Readonly<Record<string, string>>;
  readonly #socket: NotifySocket;
  readonly #grace: Reported;
  readonly #watchdog: number | undefined;
  #stopWatchdog: () => void = () => undefined;
  #handedOver: Promise<void> | undefined;
  #reporting: NodeJS.Timeout | undefined;

  /** @throws GraceError `INHERITANCE_INVALID` if `WATCHDOG_USEC` or `WATCHDOG_PID` is not a number. */
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

  /**
   * Reports that a restart begins.
   *
   * @throws GraceError `RESTART_FAILED` if systemd does not read it: then it
   * would not learn its new main process either, and would end the service.
   */
  async restarting(): Promise<void> {
    const { generation } = this.#grace;
    const failure = await this.#socket.send({
      RELOADING: 1,
      MONOTONIC_USEC: String(process.hrtime.bigint() / 1_000n),
      STATUS: `generation ${generation} serves, generation ${generation + 1} is being started`,
    });
    if (failure === undefined || this.#socket.closed) return;
    const message = `restart failed, this process keeps serving: systemd cannot be told the new main process, and would end the service: ${failure}`;
    throw new GraceError('RESTART_FAILED', message, { subject: NOTIFY_SOCKET, value: this.environment[NOTIFY_SOCKET] });
  }

  /** Reports why a restart failed; this also ends the reload that systemd waits for. */
  restartFailed({ message }: GraceError): void {
    void this.#socket.send({ READY: 1, STATUS: oneLine(message) });
  }

  /**
   * The service stops: asks systemd to wait for the drain, now and every few
   * seconds. Call it again at each SIGTERM, with which systemd's timeout starts again.
   */
  reportDrain(): void {
    clearInterval(this.#reporting);
    void this.#reportDrain();
    this.#reporting = setInterval(() => void this.#reportDrain(), DRAIN_REPORT_EVERY_MS).unref();
  }

  /**
   * Fulfils when this process may exit. After a hand-over that is when systemd
   * knows the new main process; if the old one exited before, the service would end.
   *
   * @param patience - how many milliseconds to wait for systemd.
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
    // A predecessor reports its successor itself, when the hand-over is complete.
    if (grace.predecessor === undefined) {
      const addresses = grace.sockets.map(({ address }) => address).join(', ');
      void this.#announce({ READY: 1, STATUS: `generation ${grace.generation} serves ${addresses}` });
    }
    if (this.#watchdog !== undefined) {
      this.#stopWatchdog = keepAwake(this.#watchdog, () => void this.#socket.send({ WATCHDOG: 1 }));
    }
    grace.on('restarted', ({ pid }) => {
      const { standby } = grace.probation;
      this.#handedOver = standby === undefined ? this.#handOver(pid) : this.#standBy(pid, standby.proven);
    });
    grace.on('draining', ({ reason }) => {
      if (reason !== 'stop') return;
      void this.#socket.send({ STOPPING: 1 });
      this.reportDrain();
    });
    grace.once('closed', () => this.#stopWatchdog());
  }

  /** Sends a message without which systemd counts the service as failed. */
  async #announce(assignments: Assignments, attempts = 1): Promise<void> {
    let failure: string | undefined;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      failure = await this.#socket.send(assignments);
      if (failure === undefined || this.#socket.closed) return;
    }
    const what = Object.entries(assignments)
      .filter(([name]) => name !== 'STATUS')
      .map(([name, value]) => `${name}=${value}`);
    warn(`systemd was not told ${what.join(' ')}, so it will end the service, and a restart is not possible: ${failure}`);
  }

  /**
   * While the new process is on probation, this one stays the main process: when a
   * main process ends, systemd stops the service at once, and no message could be in
   * time. Signals to the main process go on to the new one.
   */
  async #standBy(pid: number, proven: Promise<boolean>): Promise<void> {
    const { generation, settings } = this.#grace;
    const ending = endingSignals(settings.signals, true);
    const status = `generation ${generation + 1} serves on probation, generation ${generation} stands by`;
    void this.#announce({ READY: 1, STATUS: status }, HANDOVER_ATTEMPTS);
    let stops = false;
    const remove = onSignals(forwardedSignals(settings.signals), (signal) => {
      stops ||= ending.includes(signal);
      passOn(pid, signal);
    });
    const isProven = await proven;
    // A main process that ends before the others makes systemd kill them.
    if (stops) await untilGone(pid);
    else if (isProven) await this.#handOver(pid);
    remove();
  }

  /** The last message of this process, as a later one would overwrite its successor's. */
  async #handOver(pid: number): Promise<void> {
    this.#stopWatchdog();
    const { generation } = this.#grace;
    const open = await this.#openConnections();
    const status = `generation ${generation + 1} serves, generation ${generation} handed over and drains ${open}`;
    await this.#announce({ MAINPID: pid, READY: 1, STATUS: status }, HANDOVER_ATTEMPTS);
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

function passOn(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    warn(`${signal} was not passed on to process ${pid}: ${messageOf(error)}`);
  }
}

function countConnections(server: Server | undefined): Promise<number> {
  return new Promise((done) => {
    if (server === undefined) done(0);
    else server.getConnections((_, count) => done(count ?? 0));
  });
}

/** A status for systemd has to be one line. */
function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, STATUS_CHARACTERS);
}

/**
 * Gives a sign of life twice within each timeout. The timer runs in the event
 * loop, so a process whose event loop hangs gives none. Returns a function that
 * stops it.
 *
 * @param timeout - milliseconds.
 */
export function keepAwake(timeout: number, giveSign: () => void): () => void {
  giveSign();
  const timer = setInterval(giveSign, Math.min(timeout / 2, MAX_INTERVAL_MS)).unref();
  return () => clearInterval(timer);
}
