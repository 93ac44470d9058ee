import { Deadline } from './deadline.js';
import { logger, warn } from './log.js';
import { type GraceListener } from './socket/listener.js';

const log = logger('drain');

/** `onShutdown` flushes and closes what the program holds, so it has this long although the connections used up the time. */
const SHUTDOWN_MIN_MS = 1_000;

/** What the deadline cut off of one listener. */
export interface CutOff {
  readonly address: string;
  readonly name: string | undefined;
  /** Requests that got no complete answer; for other protocols, connections. */
  readonly count: number;
}

export interface DrainPlan {
  readonly listeners: readonly GraceListener[];
  /** Descriptors that a successor goes on serving. */
  readonly handedOver: ReadonlySet<number>;
  /** Milliseconds to go on accepting before the drain begins. */
  readonly delay: number;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  readonly onShutdown: () => unknown;
}

export interface DrainResult {
  readonly cutOff: readonly CutOff[];
  /** What `onShutdown` failed with. */
  readonly failure: unknown;
}

/** Drains all listeners at the same time; docs/architecture.md gives the order of the steps and the reasons. */
export async function drain(plan: DrainPlan): Promise<DrainResult> {
  const { listeners, handedOver } = plan;
  const begin = performance.now();
  const deadline = new Deadline(plan.timeout);
  try {
    if (plan.delay > 0) await deadline.bound(pause(plan.delay));
    for (const listener of listeners) listener.beginDrain();
    const ended = listeners.map(async (listener) => {
      await listener.stopAccepting(!handedOver.has(listener.fd));
      await listener.drained();
      log('%s has no connection left', listener.address);
    });
    await deadline.bound(Promise.all(ended));
    const counts = listeners.map((listener): CutOff => {
      const { address, name } = listener;
      return { address, name, count: listener.cutOff() };
    });
    const failure = await shutDown(plan.onShutdown, plan.timeout - (performance.now() - begin));
    const cutOff = counts.filter(({ count }) => count > 0);
    report({ cutOff, failure }, plan.timeout);
    return { cutOff, failure };
  } finally {
    deadline.clear();
  }
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

function report({ cutOff, failure }: DrainResult, timeout: number): void {
  for (const { address, name, count } of cutOff) warn(`${name ?? address}: ${count} cut off after ${timeout} ms of draining`);
  if (failure !== undefined) warn(`onShutdown failed: ${failure instanceof Error ? failure.stack : String(failure)}`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
