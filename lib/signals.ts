import { GraceError } from './errors.js';
import { type DrainReason, type State } from './events.js';
import { whomToAsk } from './handoff/refuse-restart.js';
import { logger, warn } from './log.js';
import { exitCodeOf, onSignals } from './on-signals.js';
import { type SignalOptions } from './options.js';

const log = logger('signals');

/** What a process knows when a signal comes. */
export interface Situation {
  readonly state: State;
  /** Why it drains or drained. */
  readonly reason: DrainReason | undefined;
  /** Whether systemd runs it and is told what happens (`NOTIFY_SOCKET`). */
  readonly systemd: boolean;
  /** Pid of the start_server that runs it. */
  readonly superdaemon: number | undefined;
  /** Whether it is the first process, which has handed over and stays because its pid is watched: see FirstProcess. */
  readonly firstProcess: boolean;
}

/**
 * How a signal came: from outside, or passed on by the first process. Ctrl+C in
 * a terminal comes both ways, as the terminal signals all generations. These are
 * counted apart, so that it does not look like two.
 */
export type SignalWay = 'direct' | 'forwarded';

/**
 * `drain`: stop and exit. `exit`: exit at once, with 128 + n. `cut-off`: destroy
 * the connections that are left. `report-drain`: ask systemd for more time.
 */
export type StopAction = 'drain' | 'exit' | 'cut-off' | 'report-drain' | 'ignore';

/**
 * What a signal of `signals.stop` means: the first one drains, a second one exits at once.
 *
 * @param earlier - how many stop signals came before in the same way.
 */
export function actionOnStop(signal: NodeJS.Signals, situation: Situation, earlier: number): StopAction {
  const { state, reason, systemd, superdaemon, firstProcess } = situation;
  // systemd signals the whole group, and again what is left of it when the main process has ended. It ends a drain by SIGKILL.
  if (systemd && state === 'draining' && (reason === 'handover' || signal === 'SIGTERM')) return 'report-drain';
  const repeated = earlier > 0;
  // The generation that serves gets the signal too. What is left here must not keep this process from ending.
  if (firstProcess) return repeated ? 'cut-off' : 'ignore';
  // A terminal or systemd signals a worker and start_server, which passes the same signal on: the second one means nothing.
  if (repeated && superdaemon === undefined) return 'exit';
  return state === 'draining' ? 'ignore' : 'drain';
}

/** `not-serving`, `superdaemon`: it cannot restart, for that reason. */
export type RestartAction = 'restart' | 'not-serving' | 'superdaemon' | 'ignore';

/** What a signal of `signals.restart` means. start_server does the restarts of its workers itself. */
export function actionOnRestart({ state, superdaemon, firstProcess }: Situation): RestartAction {
  // It goes to the generation that serves.
  if (firstProcess) return 'ignore';
  if (state !== 'serving') return 'not-serving';
  return superdaemon === undefined ? 'restart' : 'superdaemon';
}

/** `pass-on`: to the successor. `raise`: as if it had come from outside. */
export type ForwardedAction = 'pass-on' | 'stop' | 'restart' | 'raise';

/** What a signal means that the first process passed on. */
export function actionOnForwarded(
  signal: NodeJS.Signals,
  { reason }: Situation,
  { stop, restart }: Required<SignalOptions>,
): ForwardedAction {
  // This process read it just when its successor began to read. The signal is for the successor.
  if (reason === 'handover') return 'pass-on';
  if (stop.includes(signal)) return 'stop';
  return restart.includes(signal) ? 'restart' : 'raise';
}

/** What the first process passes on: the usual signals, and all that the options name. */
export function forwardedSignals({ stop, restart, reload }: Required<SignalOptions>): readonly NodeJS.Signals[] {
  return [...new Set<NodeJS.Signals>(['SIGTERM', 'SIGINT', 'SIGUSR2', 'SIGHUP', ...stop, ...restart, ...reload])];
}

/** What a process does when a signal comes. */
export interface SignalActions {
  situation(): Situation;
  drain(): void;
  restart(): Promise<unknown>;
  reportDrain(): void;
  /** Destroys the connections that are left. */
  cutOff(): void;
  /** Called just before the process exits at once. */
  beforeExit(): void;
  /** Sends a signal to the successor. */
  passOn(signal: NodeJS.Signals): void;
}

/** Receives the signals of a process and does what each of them means. */
export class Signals {
  /** Removes all handlers. */
  readonly remove: () => void;
  readonly #actions: SignalActions;
  readonly #options: Required<SignalOptions>;
  readonly #stops: Record<SignalWay, number> = { direct: 0, forwarded: 0 };

  constructor(options: Required<SignalOptions>, actions: SignalActions) {
    this.#options = options;
    this.#actions = actions;
    const removers = [
      onSignals(options.stop, (signal) => this.#onStop(signal, 'direct')),
      onSignals(options.restart, (signal) => this.requestRestart(signal)),
    ];
    this.remove = () => removers.forEach((remove) => remove());
  }

  /** A signal that the first process passed on. */
  forwarded(signal: NodeJS.Signals): void {
    const action = actionOnForwarded(signal, this.#actions.situation(), this.#options);
    if (action === 'pass-on') this.#actions.passOn(signal);
    if (action === 'stop') this.#onStop(signal, 'forwarded');
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

  #onStop(signal: NodeJS.Signals, way: SignalWay): void {
    const action = actionOnStop(signal, this.#actions.situation(), this.#stops[way]);
    // systemd repeats its signals, so these do not count.
    if (action === 'report-drain') return this.#actions.reportDrain();
    this.#stops[way] += 1;
    if (action === 'drain') this.#actions.drain();
    if (action === 'cut-off') this.#actions.cutOff();
    if (action === 'exit') this.#exit(signal);
  }

  #exit(signal: NodeJS.Signals): void {
    log('%s again: exiting at once', signal);
    this.#actions.beforeExit();
    process.exit(exitCodeOf(signal));
  }
}
