import { onSignals } from '../on-signals.js';

type Kill = typeof process.kill;

/**
 * Distinguishes a signal that this program sent to itself by `process.kill()` from
 * one that came from outside. The kernel knows the sender, but Node.js does not pass
 * it on, so the calls of `process.kill()` are counted. If the program calls a copy
 * of the original function, this is not seen.
 */
export class SelfSent {
  /** Ends the counting. */
  readonly remove: () => void;
  /** How many of a signal were sent and have not come yet. */
  readonly #underWay = new Map<NodeJS.Signals, number>();
  #coming: NodeJS.Signals | undefined;

  constructor(signals: readonly NodeJS.Signals[]) {
    const unwrap = signals.length === 0 ? () => undefined : watchKill((signal) => this.#sent(signal, signals));
    const onSignal = (signal: NodeJS.Signals): void => this.#received(signal);
    // First, so that handlers that were installed before know it too.
    const stop = onSignals(signals, onSignal, 'first');
    this.remove = () => {
      unwrap();
      stop();
    };
  }

  /** Inside of a handler of this signal: whether this program sent it. */
  is(signal: NodeJS.Signals): boolean {
    return this.#coming === signal;
  }

  #sent(signal: NodeJS.Signals, signals: readonly NodeJS.Signals[]): void {
    if (signals.includes(signal)) this.#underWay.set(signal, (this.#underWay.get(signal) ?? 0) + 1);
  }

  #received(signal: NodeJS.Signals): void {
    const count = this.#underWay.get(signal) ?? 0;
    this.#coming = count > 0 ? signal : undefined;
    if (count > 0) this.#underWay.set(signal, count - 1);
  }
}

/** Calls `onSent` after each signal to this process or its group. Returns a function that ends that. */
function watchKill(onSent: (signal: NodeJS.Signals) => void): () => void {
  const original = process.kill;
  let report: typeof onSent | undefined = onSent;
  const kill: Kill = (pid, signal) => {
    const result = original.call(process, pid, signal);
    if (isSelf(Number(pid))) report?.(nameOf(signal));
    return result;
  };
  if (!setKill(kill)) return () => undefined;
  return () => {
    report = undefined;
    // Another library may have wrapped it meanwhile.
    if (process.kill === kill) setKill(original);
  };
}

/** kill(2): 0 is the group of this process, a negative number the group with that id. */
function isSelf(pid: number): boolean {
  return pid === process.pid || pid === 0 || pid === -process.pid;
}

function nameOf(signal: string | number | undefined): NodeJS.Signals {
  if (typeof signal !== 'number') return (signal ?? 'SIGTERM') as NodeJS.Signals;
  const { signals } = process.getBuiltinModule('node:os').constants;
  return Object.keys(signals).find((name) => signals[name as NodeJS.Signals] === signal) as NodeJS.Signals;
}

/** False if the program has frozen `process`: then no signal counts as sent by itself. */
function setKill(kill: Kill): boolean {
  try {
    process.kill = kill;
    return true;
  } catch {
    return false;
  }
}
