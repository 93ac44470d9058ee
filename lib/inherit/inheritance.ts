import { type InheritedSocket } from '../address/match.js';
import { type Predecessor } from '../handoff/predecessor.js';
import { type Channel } from '../launch/preload-contract.js';

/** What this process was started with. */
export interface Inheritance {
  /** The process that hands over to this one: the generation before, or start_server. */
  readonly predecessor: Predecessor | undefined;
  /** Pid of a Server::Starter without our handoff; ours is the `predecessor`. */
  readonly starter?: number | undefined;
  /** The channel to start_server, through which connections go from worker to worker. */
  readonly workerChannel?: Channel | undefined;
  /** All sockets that were passed. */
  readonly passed: readonly InheritedSocket[];
  /** The sockets that no listener has claimed yet. */
  readonly unclaimed: Set<InheritedSocket>;
}

/** 1 in the first process, one more in each successor. */
export function generationOf(inheritance: Inheritance | undefined): number {
  return inheritance?.predecessor?.generation ?? 1;
}

/** Pid of the generation before this one; undefined in the first, and under start_server. */
export function predecessorPid(inheritance: Inheritance | undefined): number | undefined {
  const predecessor = inheritance?.predecessor;
  return predecessor?.superdaemon === true ? undefined : predecessor?.pid;
}

/** Pid of the start_server that restarts this process, as long as it lives. */
export function superdaemonPid(inheritance: Inheritance | undefined): number | undefined {
  const { predecessor, starter } = inheritance ?? {};
  return predecessor?.superdaemon === true && predecessor.alive ? predecessor.pid : starter;
}
