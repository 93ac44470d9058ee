import { type DrainReason, type State } from '../events.js';
import { type SignalOptions } from '../options.js';

/** What a process knows when a signal comes. */
export interface Situation {
  readonly state: State;
  /** Why it drains or drained. */
  readonly reason: DrainReason | undefined;
  /** Whether systemd runs it and is told what happens (`NOTIFY_SOCKET`). */
  readonly systemd: boolean;
  /** Pid of the start_server that runs it. */
  readonly superdaemon: number | undefined;
  /** Whether it has handed over and stays because its pid is watched: see FirstProcess, and Systemd for one that stands by. */
  readonly firstProcess: boolean;
  /** The option `forceExit`. */
  readonly forceExit: boolean;
}

/**
 * `drain`: stop and exit. `exit`: exit at once, with 128 + n. `cut-off`: destroy
 * the connections that are left. `report-drain`: ask systemd for more time.
 */
export type StopAction = 'drain' | 'exit' | 'cut-off' | 'report-drain' | 'ignore';

/**
 * What a signal of `signals.stop` means: the first one drains, a second one exits at once.
 *
 * @param second - whether it is a second request to stop, see StopRequests.
 */
export function actionOnStop(signal: NodeJS.Signals, situation: Situation, second: boolean): StopAction {
  const { state, firstProcess } = situation;
  if (state === 'closed') return 'ignore';
  if (systemdEndsDrain(signal, situation)) return 'report-drain';
  const force = second && canForce(situation);
  // The generation that serves gets the signal too. What is left here must not keep this process from ending.
  if (firstProcess) return force ? 'cut-off' : 'ignore';
  if (force) return 'exit';
  return state === 'draining' ? 'ignore' : 'drain';
}

/** The end of a message: how to end at once a drain that this signal began. Empty if no signal does that. */
export function howToForce(signal: NodeJS.Signals, situation: Situation): string {
  if (!canForce(situation) || systemdEndsDrain(signal, { ...situation, state: 'draining' })) return '';
  return signal === 'SIGINT' ? '; Ctrl-C again to quit' : `; ${signal} again to exit at once`;
}

/** systemd signals the whole group, and again what is left of it when the main process has ended. It ends a drain by SIGKILL. */
function systemdEndsDrain(signal: NodeJS.Signals, { systemd, state, reason }: Situation): boolean {
  return systemd && state === 'draining' && (reason === 'handover' || signal === 'SIGTERM');
}

/** A terminal or systemd signals a worker and start_server, which passes the same signal on: there a second one means nothing. */
function canForce({ forceExit, superdaemon }: Situation): boolean {
  return forceExit && superdaemon === undefined;
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
export type ForwardedAction = 'pass-on' | 'stop' | 'restart' | 'raise' | 'ignore';

/**
 * The meaning of a signal that the first process passed on.
 *
 * @param handled - whether the program has a handler for it.
 */
export function actionOnForwarded(
  signal: NodeJS.Signals,
  { reason }: Situation,
  { stop, restart }: Required<SignalOptions>,
  handled: boolean,
): ForwardedAction {
  // This process read it just when its successor began to read. The signal is for the successor.
  if (reason === 'handover') return 'pass-on';
  if (stop.includes(signal)) return 'stop';
  if (restart.includes(signal)) return 'restart';
  // Without a handler, SIGHUP would end the service. PID 1 of a container got no such signal before its first restart.
  return handled || signal === 'SIGTERM' || signal === 'SIGINT' ? 'raise' : 'ignore';
}

/**
 * The signals that end the service. A process that passes signals on gets in place of the other one those that would end it
 * without a handler.
 */
export function endingSignals({ stop }: Pick<Required<SignalOptions>, 'stop'>, passesOn: boolean): readonly NodeJS.Signals[] {
  return passesOn ? [...new Set<NodeJS.Signals>(['SIGTERM', 'SIGINT', ...stop])] : stop;
}

/** What the first process passes on: the usual signals, and all that the options name. */
export function forwardedSignals({ stop, restart, reload, revert }: Required<SignalOptions>): readonly NodeJS.Signals[] {
  return [...new Set<NodeJS.Signals>(['SIGTERM', 'SIGINT', 'SIGUSR2', 'SIGHUP', ...stop, ...restart, ...reload, ...revert])];
}
