import { type DrainReason, type State } from '../events.js';
import { type Following } from '../follow/following.js';
import { type RestartOptions, type Restarts } from '../handoff/restarts.js';
import { type Generation } from '../inherit/generation.js';
import { type Lifetime } from '../lifetime/lifetime.js';
import { type Settings } from '../options.js';
import { type Probation } from '../probation/probation.js';
import { type GraceListener } from '../socket/listener.js';
import { type Systemd } from '../systemd/systemd.js';
import { type LazySignal } from './lazy-signal.js';

/** What a life consists of, and what its parts may ask of it. */
export interface Parts {
  readonly settings: Settings;
  readonly state: State;
  /** Why this process drains or drained. */
  readonly reason: DrainReason | undefined;
  /** Descriptors of the sockets that another process goes on serving when this one drains. */
  readonly handedOver: ReadonlySet<number>;
  readonly generation: Generation;
  readonly sockets: readonly GraceListener[];
  readonly superdaemon: number | undefined;
  readonly restarts: Restarts;
  readonly following: Following;
  readonly probation: Probation;
  readonly lifetime: Lifetime;
  /** There if systemd is told what happens, from the first claim of a socket on. */
  readonly systemd: Systemd | undefined;
  /** Aborted when this process drains and takes no new connections. */
  readonly leaving: LazySignal;
  /** Aborted shortly before the deadline of the drain. */
  readonly closing: LazySignal;
  /** What a drain waits for now, for a message. */
  readonly inFlight: string;
  /** For a message: how to end the drain at once, if a signal began it. */
  toForce: string;
  restart(options: RestartOptions): Promise<{ readonly pid: number }>;
  stop(): Promise<void>;
  /** Removes what only the last owner removes; the files of a successor stay. */
  removeFiles(): void;
}
