import { type Predecessor } from '../handoff/predecessor.js';
import { closeUnclaimed } from '../socket/claim.js';
import { type GraceListener } from '../socket/listener.js';
import { type Inheritance } from './inheritance.js';
import { type PidFile } from './pid-file.js';

/** What a process has to make ready before it serves. */
export interface TakeOver {
  readonly sockets: readonly GraceListener[];
  readonly predecessor: Pick<Predecessor, 'ready'> | undefined;
  readonly pidFile: PidFile | undefined;
  /** The kinds of connections that this process takes from the predecessor. */
  readonly takes: readonly string[];
  /** Prepares what takes time and needs nothing from the predecessor: this process waits for its answer meanwhile. */
  prepare(): void;
  /** Whether the process was told to stop meanwhile. */
  stopped(): boolean;
}

/**
 * Takes over from the predecessor, or just starts: at the end every socket accepts
 * and the pid file names this process. No file that the predecessor uses is touched
 * before it has acknowledged, or has died.
 *
 * @returns false if the process was told to stop meanwhile.
 * @throws GraceError `ADDRESS_*`, `INHERITANCE_INVALID`, `PID_FILE`
 */
export async function takeOver({ sockets, predecessor, pidFile, takes, prepare, stopped }: TakeOver): Promise<boolean> {
  pidFile?.check();
  // New addresses first: if one cannot be used, the predecessor has not been told anything.
  for (const listener of sockets) if (!listener.inherited) await listener.open();
  const acknowledged = predecessor?.ready(descriptorsOf(sockets), takes);
  // Both accept now. If the predecessor gives this process up after all, what it has accepted is drained.
  for (const listener of sockets) await listener.open();
  prepare();
  await acknowledged;
  if (stopped()) return false;
  pidFile?.write();
  for (const listener of sockets) listener.own();
  return true;
}

/** Tells the predecessor that this process serves. Sockets that this version of the program does not claim are closed. */
export function reportServing(
  sockets: readonly GraceListener[],
  { predecessor, unclaimed }: Inheritance,
  returns: readonly number[] = [],
): void {
  predecessor?.serving(descriptorsOf(sockets), returns);
  for (const socket of unclaimed) closeUnclaimed(socket, predecessor?.alive === true);
  unclaimed.clear();
}

function descriptorsOf(sockets: readonly GraceListener[]): number[] {
  return sockets.map(({ fd }) => fd);
}
