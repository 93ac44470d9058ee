import { GraceError } from '../errors.js';
import { whomToAsk } from '../handoff/refuse-restart.js';
import { logger, warn } from '../log.js';
import { exitCodeOf, onSignals } from '../on-signals.js';
import { type SignalOptions } from '../options.js';
import { exit } from './exit.js';
import { type Situation, actionOnForwarded, actionOnRestart, actionOnStop } from './meaning.js';
import { type SelfSent } from './self-sent.js';
import { type SignalWay, StopRequests } from './stop-requests.js';

const log = logger('signals');

/** What a process does when a signal comes. */
export interface SignalActions {
  situation(): Situation;
  drain(signal: NodeJS.Signals): void;
  restart(): Promise<unknown>;
  reportDrain(): void;
  /** Destroys the connections that are left. */
  cutOff(signal: NodeJS.Signals): void;
  /** Called just before the process exits at once. */
  beforeExit(): void;
  /** Passes on to the successor a signal that came from the first process. */
  passOn(signal: NodeJS.Signals, self: boolean): void;
}

/** Receives the signals of a process and does what each of them means. */
export class Signals {
  /** Removes all handlers. */
  readonly remove: () => void;
  readonly #actions: SignalActions;
  readonly #options: Required<SignalOptions>;
  readonly #requests = new StopRequests();

  constructor(options: Required<SignalOptions>, selfSent: SelfSent, actions: SignalActions) {
    this.#options = options;
    this.#actions = actions;
    const removers = [
      onSignals(options.stop, (signal) => this.#onStop(signal, 'direct', selfSent.is(signal))),
      onSignals(options.restart, (signal) => this.requestRestart(signal)),
    ];
    this.remove = () => removers.forEach((remove) => remove());
  }

  /**
   * A signal that the first process passed on.
   *
   * @param self - whether the first process had sent it to itself.
   */
  forwarded(signal: NodeJS.Signals, self: boolean): void {
    const handled = process.listenerCount(signal) > 0;
    const action = actionOnForwarded(signal, this.#actions.situation(), this.#options, handled);
    if (action === 'pass-on') this.#actions.passOn(signal, self);
    if (action === 'stop') this.#onStop(signal, 'forwarded', self);
    if (action === 'restart') this.requestRestart(`${signal} of the first process`);
    if (action === 'raise') process.kill(process.pid, signal);
  }

  /** A restart that `by` requested: a signal, or the previous process. */
  requestRestart(by: string): void {
    const situation = this.#actions.situation();
    const action = actionOnRestart(situation);
    if (action === 'not-serving') warn(`${by} ignored: this process is ${situation.state}`);
    if (action === 'superdaemon') warn(`${by} ignored: start_server restarts this process; ${whomToAsk(situation.superdaemon!)}`);
    if (action !== 'restart') return;
    log('restart requested by %s', by);
    this.#actions.restart().catch((error: unknown) => {
      // A failed restart was reported when it failed.
      if (error instanceof GraceError && error.code === 'RESTART_UNSUPPORTED') warn(error.message);
      log('%s', error);
    });
  }

  #onStop(signal: NodeJS.Signals, way: SignalWay, self: boolean): void {
    const situation = this.#actions.situation();
    // systemd repeats its signals, so these do not count.
    if (actionOnStop(signal, situation, false) === 'report-drain') return this.#actions.reportDrain();
    const action = actionOnStop(signal, situation, this.#requests.isSecond(way, self));
    if (action === 'drain') this.#actions.drain(signal);
    if (action === 'cut-off' || action === 'exit') this.#actions.cutOff(signal);
    if (action === 'exit') this.#exit(signal);
  }

  #exit(signal: NodeJS.Signals): void {
    this.#actions.beforeExit();
    exit(exitCodeOf(signal));
  }
}
