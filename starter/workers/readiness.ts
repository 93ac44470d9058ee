import { type Duplex } from 'node:stream';
import { readLines } from '../../lib/handoff/lines.js';
import { type SuccessorMessage, formatMessage, parseSuccessorMessage } from '../../lib/handoff/messages.js';

export interface ReadinessOptions {
  /** Milliseconds after which a worker that has said nothing counts as up. */
  readonly interval: number;
  /** Milliseconds within which a worker has to say that it is ready; undefined: it need not. */
  readonly readyTimeout: number | undefined;
  /** Milliseconds that a worker that announced a `ready` message may take; 0: no limit. Not used with `readyTimeout`. */
  readonly startTimeout: number;
}

/** The worker, as this conversation sees it. */
export interface Candidate {
  /** The handoff pipe; undefined if the worker could not be started. */
  readonly pipe: Duplex | undefined;
  readonly nonce: string;
  /** Resolves when it has exited. */
  readonly exited: Promise<unknown>;
  /** Whether it was already told to stop. */
  isDraining(): boolean;
  /** It did not say that it is ready within `timeout` milliseconds. */
  onTimeout(timeout: number): void;
}

/** `said`: it said that it is ready. `lived`: it said nothing, and has run for the interval. `exited`: neither. */
export type Outcome = 'said' | 'lived' | 'exited';

/** Tells a new worker that start_server is above it, and waits until it is up. */
export function waitUntilUp(candidate: Candidate, options: ReadinessOptions): Promise<Outcome> {
  const { pipe, nonce, exited } = candidate;
  const { interval, readyTimeout, startTimeout } = options;
  if (pipe !== undefined) greet(pipe, nonce, exited);
  return new Promise((done) => {
    let timer: NodeJS.Timeout | undefined;
    let stopReading = (): unknown => undefined;
    const startTimer = (milliseconds: number, onTime: () => void): void => {
      clearTimeout(timer);
      // Timers run before pipes and ends of processes are read: what is waiting there may stop this timer.
      const started = setTimeout(() => setImmediate(() => timer === started && onTime()), milliseconds);
      timer = started;
    };
    const settle = (outcome: Outcome): void => {
      clearTimeout(timer);
      timer = undefined;
      stopReading();
      pipe?.resume();
      done(outcome);
    };
    const expectReady = (timeout: number): void => {
      clearTimeout(timer);
      timer = undefined;
      if (timeout > 0) startTimer(timeout, () => candidate.onTimeout(timeout));
    };
    const onMessage = (message: SuccessorMessage | undefined): void => {
      if (message === undefined || !('nonce' in message) || message.nonce !== nonce) return;
      if (message.type === 'ready' && !candidate.isDraining()) settle('said');
      if (message.type === 'starting' && readyTimeout === undefined) expectReady(startTimeout);
    };
    if (readyTimeout === undefined) startTimer(interval, () => settle('lived'));
    else expectReady(readyTimeout);
    if (pipe !== undefined) stopReading = readLines(pipe, (line) => onMessage(parseSuccessorMessage(line)));
    void exited.then(() => settle('exited'));
  });
}

/** The pipe stays open while the worker runs: end of file tells the worker that start_server has exited. */
function greet(pipe: Duplex, nonce: string, exited: Promise<unknown>): void {
  // A worker that exits breaks the pipe; `exited` tells that.
  pipe.on('error', () => undefined);
  pipe.write(formatMessage({ type: 'hello', nonce, state: {} }));
  void exited.then(() => pipe.destroy());
}

/** Distinguishes a handoff meant for this process from a leaked one. It is no secret, so node:crypto and its 2 MiB are not needed. */
export function makeNonce(): string {
  return `${process.pid}-${process.hrtime.bigint().toString(36)}-${Math.random().toString(36).slice(2)}`;
}
