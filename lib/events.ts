import { EventEmitter } from 'node:events';
import { type CutOff } from './life/drain.js';
import { type GraceError, show } from './errors.js';
import { warn } from './log.js';

/** What a process does: see the state machine in docs/architecture.md. */
export type State = 'starting' | 'serving' | 'draining' | 'closed';
/** `handover`: a successor serves. `stop`: no process does. */
export type DrainReason = 'handover' | 'stop';

/** How the drain ended. */
export interface Closed {
  /** What the deadline cut off, by listener; empty if every request was answered. */
  readonly cutOff: readonly CutOff[];
  /** The exit code: 0, or 1 if requests were cut off, or `onShutdown` or a server failed. */
  readonly code: number;
}

/** The events of a `Grace` or `App`, with what their listeners get. */
export interface GraceEvents {
  /** Every server accepts, and the predecessor was told. */
  ready: [];
  /** A restart begins; the successor is not started yet. */
  restarting: [];
  /** The successor is ready. This process drains next. */
  restarted: [{ readonly pid: number }];
  /** The successor did not become ready; this process keeps serving. */
  'restart-failed': [GraceError];
  /** The successor failed on probation; this process serves again. */
  'restart-reverted': [GraceError];
  /** The certificates were read again. */
  reloaded: [];
  /** A certificate could not be read again; the server keeps the one it has. Printed as a warning if there is no listener. */
  'reload-failed': [GraceError];
  /** This process drains: new connections go to the successor, or nowhere. */
  draining: [{ readonly reason: DrainReason }];
  /** Nothing is left; with the option `exit` the process exits next. */
  closed: [Closed];
}

/**
 * Calls each listener on its own. What a listener throws, or the promise that it
 * returns rejects with, is reported and changes nothing: a listener must not stop
 * a hand-over half way.
 */
export class Events extends EventEmitter<GraceEvents> {
  override emit<K extends keyof GraceEvents>(event: K, ...args: GraceEvents[K]): boolean {
    const listeners = this.rawListeners(event as never) as ((...args: GraceEvents[K]) => unknown)[];
    for (const listener of listeners) callListener(event, () => Reflect.apply(listener, this, args));
    return listeners.length > 0;
  }
}

function callListener(event: string, call: () => unknown): void {
  const report = (error: unknown): void => {
    const text = error instanceof Error ? (error.stack ?? error.message) : show(error);
    warn(`a listener of '${event}' failed: ${text}`);
  };
  try {
    Promise.resolve(call()).catch(report);
  } catch (error) {
    report(error);
  }
}
