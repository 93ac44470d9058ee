import { Deadline } from './deadline.js';
import { runHook } from './hook.js';
import { type GraceListener } from './socket/listener.js';
import { logger } from './log.js';

const log = logger('drain');

/** What the deadline cut off of one listener. */
export interface CutOff {
  readonly address: string;
  readonly name: string | undefined;
  /** Requests that got no whole answer; for other protocols, connections. */
  readonly count: number;
}

export interface DrainPlan {
  readonly listeners: readonly GraceListener[];
  /** Descriptors that a successor goes on serving. */
  readonly handedOver: ReadonlySet<number>;
  /** Milliseconds before anything changes. */
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

/** Brings all listeners to their end, side by side, in the order that docs/architecture.md gives reasons for. */
export async function drain(plan: DrainPlan): Promise<DrainResult> {
  const { listeners, handedOver } = plan;
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
    const cutOff = listeners.map((listener): CutOff => {
      const { address, name } = listener;
      return { address, name, count: listener.cutOff() };
    });
    const failure = await runHook('onShutdown', plan.onShutdown, deadline).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { cutOff: cutOff.filter(({ count }) => count > 0), failure };
  } finally {
    deadline.clear();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}
