import { type CutOff } from './drain.js';
import { type GraceError } from './errors.js';

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

export interface GraceEvents {
  /** Every server accepts, and the predecessor was told. */
  ready: [];
  /** A restart begins; the successor is not started yet. */
  restarting: [];
  /** The successor is ready. This process drains next. */
  restarted: [{ readonly pid: number }];
  /** The successor did not become ready; this process keeps serving. Printed as a warning if there is no listener. */
  'restart-failed': [GraceError];
  /** The certificates were read again. */
  reloaded: [];
  /** A certificate could not be read again; the server keeps the one it has. Printed as a warning if there is no listener. */
  'reload-failed': [GraceError];
  draining: [{ readonly reason: DrainReason }];
  closed: [Closed];
}
