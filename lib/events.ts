import { type CutOff } from './drain.js';
import { type GraceError } from './errors.js';

export type State = 'starting' | 'serving' | 'draining' | 'closed';
/** `handover`: a successor serves on; `stop`: nobody does. */
export type DrainReason = 'handover' | 'stop';

/** How the serving ended. */
export interface Closed {
  /** What the deadline cut off, by listener; empty where everything came to its end. */
  readonly cutOff: readonly CutOff[];
  /** The exit code: 0, or 1 where something was cut off, `onShutdown` failed, or a server did. */
  readonly code: number;
}

export interface GraceEvents {
  /** Every server accepts, and the process that handed over knows. */
  ready: [];
  /** A successor is about to be started. */
  restarting: [];
  /** The successor is ready; this process drains next. */
  restarted: [{ readonly pid: number }];
  /** The successor did not get ready; this process serves on. Printed as a warning where nobody listens. */
  'restart-failed': [GraceError];
  /** The certificates were read again. */
  reloaded: [];
  /** A certificate could not be read again; its server goes on with the one it has. Printed as a warning where nobody listens. */
  'reload-failed': [GraceError];
  draining: [{ readonly reason: DrainReason }];
  closed: [Closed];
}
