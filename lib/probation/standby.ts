import { type GraceError } from '../errors.js';
import { type Ending } from '../handoff/restart-error.js';
import { type Carried } from '../inherit/carried.js';
import { logger } from '../log.js';
import { onSignals } from '../on-signals.js';
import { type ListeningHandle } from '../move/returned-sockets.js';
import { starvation } from '../process-table.js';
import { type GraceListener } from '../socket/listener.js';
import { KeptSocket, bindAgain } from './kept-socket.js';
import { type FromStandby, PROBATION, type Terms, readFromNewcomer } from './messages.js';
import { type Fault, reversionError } from './reversion.js';
import { Silence } from './silence.js';

const log = logger('probation');

/** The process that was handed over to, see Successor. */
export interface Watched {
  onEnd: () => void;
  /** Undefined as long as it is not known. */
  readonly pid: number | undefined;
  readonly moved: number;
  returned(descriptors: readonly number[]): Promise<readonly ListeningHandle[] | undefined>;
  /** How it ended, or without waiting, what is known so far. */
  ending(wait?: boolean): Promise<Ending>;
  kill(): void;
  /** Closes the pipe: it is on its own. */
  leave(): void;
}

export interface StandbyOptions {
  readonly successor: Watched;
  readonly terms: Terms;
  /** The sockets that the successor goes on serving. */
  readonly listeners: readonly GraceListener[];
  readonly carried: Carried;
  /** By which this process is told to stop: then nobody wants it to serve again. */
  readonly stopSignals: readonly NodeJS.Signals[];
}

/**
 * The old process after a hand-over: it keeps the listening sockets without
 * accepting on them. If the successor fails within its probation, it accepts again.
 */
export class Standby {
  /** Fulfils with true when the probation is over, with false when this process has to serve again. */
  readonly proven: Promise<boolean>;
  /** Fulfils when this process may stop accepting. */
  readonly prepared: Promise<void>;
  /** Fulfils when the service is told to stop, or the successor restarts. */
  readonly dismissed: Promise<void>;
  readonly #options: StandbyOptions;
  readonly #removeHandlers: () => void;
  #silence: Silence | undefined;
  #timer: NodeJS.Timeout | undefined;
  #kept: readonly KeptSocket[] = [];
  #settle!: (proven: boolean) => void;
  #dismiss!: () => void;
  #fault: Fault | undefined;
  #active = true;

  constructor(options: StandbyOptions) {
    const { successor, terms, carried, stopSignals } = options;
    this.#options = options;
    this.proven = new Promise((resolve) => {
      this.#settle = resolve;
    });
    this.dismissed = new Promise((resolve) => {
      this.#dismiss = resolve;
    });
    this.#removeHandlers = onSignals(stopSignals, () => this.end());
    carried.onAsk(PROBATION, (value) => this.#onMessage(value));
    successor.onEnd = () => this.#takeBack({ kind: 'ended' });
    if (terms.hang > 0) {
      this.#silence = new Silence({
        limit: terms.hang,
        starved: () => (successor.pid === undefined ? 0 : starvation(successor.pid)),
        onSilent: () => this.#takeBack({ kind: 'hung', limit: terms.hang }),
      });
    }
    this.prepared = this.#prepare();
  }

  /** Whether this process may still have to serve again. */
  get active(): boolean {
    return this.#active;
  }

  /** This process is not needed any more, and neither is what it does for the successor. */
  end(): void {
    this.#letGo();
    this.#dismiss();
  }

  /** The successor has passed its probation, or there is none. */
  #letGo(): void {
    if (!this.#finish()) return;
    for (const socket of this.#kept) socket.close();
    this.#say({ type: 'released' });
    this.#settle(true);
  }

  /** Takes the restart back, for a reason that an operator gave. */
  revert(reason: string): boolean {
    return this.#takeBack({ kind: 'failed', reason });
  }

  /** Accepts again on all sockets. */
  async resume(all: readonly GraceListener[]): Promise<void> {
    const kept = new Set(this.#kept.map(({ listener }) => listener));
    const dropped = all.filter((listener) => !kept.has(listener));
    for (const { service } of all) service?.resume();
    await Promise.all([...this.#kept.map((socket) => socket.resume()), ...dropped.map(bindAgain)]);
  }

  /** After {@link resume}: tells the successor, or ends it. Fulfils with the error when it is known how it ended. */
  async report(): Promise<GraceError> {
    const { successor } = this.#options;
    const fault = this.#fault!;
    if (fault.kind === 'failed') this.#say({ type: 'accepts' });
    if (fault.kind === 'hung') successor.kill();
    const ending = await successor.ending(fault.kind !== 'failed');
    // It has closed the pipe and runs on.
    if (fault.kind === 'ended' && ending.exitCode === undefined && ending.signal === null) successor.kill();
    successor.leave();
    return reversionError(fault, ending, fault.kind === 'failed' ? 0 : successor.moved);
  }

  async #prepare(): Promise<void> {
    const { successor, terms, listeners } = this.#options;
    const handles = await successor.returned(listeners.map(({ fd }) => fd));
    if (handles === undefined) {
      log('the successor has not sent the sockets back, so there is no probation');
      return this.#letGo();
    }
    this.#kept = handles.map((handle, index) => new KeptSocket(listeners[index]!, handle));
    if (!this.#active) return this.#kept.forEach((socket) => socket.close());
    this.#timer = setTimeout(() => this.#whenHeard(() => this.#letGo()), terms.time);
  }

  /** A successor that hangs at the end of its probation has not passed it. */
  #whenHeard(handler: () => void): void {
    if (this.#silence === undefined) handler();
    else this.#silence.whenHeard(handler);
  }

  #onMessage(value: unknown): void {
    const message = readFromNewcomer(value);
    this.#silence?.heard();
    if (message?.type === 'over') this.end();
    if (message?.type === 'fail') this.#takeBack({ kind: 'failed', reason: message.reason });
  }

  #takeBack(fault: Fault): boolean {
    if (!this.#finish()) return false;
    this.#fault = fault;
    this.#settle(false);
    return true;
  }

  #finish(): boolean {
    if (!this.#active) return false;
    this.#active = false;
    clearTimeout(this.#timer);
    this.#silence?.stop();
    this.#removeHandlers();
    return true;
  }

  #say(message: FromStandby): void {
    this.#options.carried.tell(PROBATION, message);
  }
}
