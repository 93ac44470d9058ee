import { Deadline, formatTime, nextTurn, sleep } from '../deadline.js';
import { logger, report, warn } from '../log.js';
import { type TakeBack } from '../move/kept.js';
import { type Onward } from '../move/sender.js';
import { describeInFlight } from '../socket/service.js';
import { type GraceListener } from '../socket/listener.js';

const log = logger('drain');

/** The work that is left is told to end this long before the deadline, or a sixth of the whole time if that is shorter. */
const CLOSING_MS = 5_000;
const CLOSING_SHARE = 1 / 6;
/**
 * How long an old generation that is one too many still has: enough for idle clients to ask once more, and for most requests.
 * Half of that for each further one, so that restarts in a row do not pile up processes.
 */
const HURRY_MS = 10_000;
/** `onShutdown` flushes and closes what the program holds, so it has this long even if the connections used up the time. */
const SHUTDOWN_MIN_MS = 1_000;

/** What the deadline cut off of one listener. */
export interface CutOff {
  /** The address that the server listened on. */
  readonly address: string;
  /** The name of the server. */
  readonly name: string | undefined;
  /** Requests that got no complete answer; for other protocols, connections. */
  readonly count: number;
}

export interface DrainPlan {
  readonly listeners: readonly GraceListener[];
  /** Whether another process goes on serving on this socket. */
  isHandedOver(listener: GraceListener): boolean;
  /** Milliseconds to go on accepting before the drain begins. */
  readonly delay: number;
  /** Milliseconds to go on accepting in the drain, while connections leave one after the other. */
  readonly spread: number;
  /** The first of these ends the spread early: the service stops, so the successor does not accept any longer either. */
  readonly spreadEnds: readonly Promise<unknown>[];
  /** Calls the handler when the drain has to end soon, as there are too many old generations. */
  onHurry(handler: (tooMany: number) => void): void;
  /** Where the connections of a listener can move to. */
  onward(listener: GraceListener): Onward | undefined;
  /** Goes on with a connection that could not move. */
  readonly takeBack: TakeBack;
  /** Fulfils when no connection can come from the predecessor any more. */
  readonly noneComes: Promise<void>;
  /** The drain begins when this is fulfilled too. */
  readonly after: Promise<unknown>;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  readonly onShutdown: () => unknown;
  /** Fulfils with true when this process is not needed any more, with false when it has to serve again. */
  readonly proven: Promise<boolean>;
  /** Called when no new connection can come. */
  readonly onBegin: () => void;
  /** Called some time before the deadline. */
  readonly onClosing: () => void;
}

export interface DrainResult {
  readonly cutOff: readonly CutOff[];
  /** What `onShutdown` failed with. */
  readonly failure: unknown;
}

/**
 * Drains all listeners at the same time; docs/architecture.md gives the order of the steps and the reasons.
 *
 * @returns undefined if this process has to serve again. The caller then has to undo what the drain has begun.
 */
export async function drain(plan: DrainPlan): Promise<DrainResult | undefined> {
  const begin = performance.now();
  const deadline = new Deadline(plan.timeout);
  const closing = setTimeout(plan.onClosing, plan.timeout - Math.min(CLOSING_MS, plan.timeout * CLOSING_SHARE));
  const takenBack = new Promise<'taken back'>((done) => void plan.proven.then((proven) => proven || done('taken back')));
  const until = async (work: Promise<unknown>): Promise<boolean> => (await Promise.race([work, takenBack])) === 'taken back';
  plan.onHurry((tooMany) => {
    plan.onClosing();
    deadline.shorten(HURRY_MS / 2 ** (tooMany - 1));
  });
  try {
    if (await until(deadline.bound(Promise.all([pause(plan.delay), plan.after])))) return undefined;
    const stopped = stopAccepting(plan, takenBack);
    const ended = until(stopped).then(async (isOver) => {
      if (isOver) return;
      // Not earlier: a client that is told to leave would come back to this process.
      plan.onBegin();
      // A process that serves again must not say goodbye to its clients.
      if (await until(plan.noneComes)) return;
      await Promise.all(plan.listeners.map(hasEnded));
    });
    if (await until(deadline.bound(ended))) {
      await stopped;
      return undefined;
    }
    const counts = plan.listeners.map((listener): CutOff => cutOffAfter(deadline.limit, listener));
    if (!(await plan.proven)) return undefined;
    const failure = await shutDown(plan.onShutdown, plan.timeout - (performance.now() - begin));
    const cutOff = counts.filter(({ count }) => count > 0);
    reportFailure(failure);
    return { cutOff, failure };
  } finally {
    clearTimeout(closing);
    deadline.clear();
  }
}

/** @param takenBack - fulfils when this process has to serve again; then it goes on accepting, if it has not stopped yet. */
async function stopAccepting(plan: DrainPlan, takenBack: Promise<'taken back'>): Promise<void> {
  const { listeners, spread, spreadEnds, onward, takeBack } = plan;
  for (const listener of listeners) listener.beginDrain(onward(listener), takeBack, spread);
  const isTakenBack = spread > 0 && (await spreadOut(spread, [takenBack, ...spreadEnds])) === 'taken back';
  if (!isTakenBack) await Promise.all(listeners.map((listener) => listener.stopAccepting(!plan.isHandedOver(listener))));
}

/** Goes on accepting for these milliseconds. Returns the result of the promise that ends it earlier. */
async function spreadOut(milliseconds: number, ends: readonly Promise<unknown>[]): Promise<unknown> {
  const deadline = new Deadline(milliseconds);
  try {
    return await deadline.bound(Promise.race(ends));
  } finally {
    deadline.clear();
  }
}

async function hasEnded(listener: GraceListener): Promise<void> {
  await listener.drained();
  log('%s has no connection left', listener.address);
}

/** @param timeout - milliseconds, for the message. */
function cutOffAfter(timeout: number, listener: GraceListener): CutOff {
  const { address, name } = listener;
  const { unit } = listener.inFlight();
  const count = listener.cutOff();
  if (count > 0) report(`${name ?? address}: ${describeInFlight([{ unit, count }])} cut off after ${formatTime(timeout)} of draining`);
  return { address, name, count };
}

/** Returns what the hook failed with. */
async function shutDown(hook: () => unknown, timeLeft: number): Promise<unknown> {
  const deadline = new Deadline(Math.max(timeLeft, SHUTDOWN_MIN_MS));
  try {
    await deadline.runHook('onShutdown', hook);
    return undefined;
  } catch (error) {
    return error;
  } finally {
    deadline.clear();
  }
}

function reportFailure(failure: unknown): void {
  if (failure !== undefined) warn(`onShutdown failed: ${failure instanceof Error ? failure.stack : String(failure)}`);
}

/** At least one turn of the event loop: with thousands of connections each step of a hand-over takes some milliseconds. */
async function pause(milliseconds: number): Promise<void> {
  await (milliseconds > 0 ? sleep(milliseconds) : nextTurn());
}
