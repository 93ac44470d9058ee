import { setMaxListeners } from 'node:events';
import { Deadline } from './deadline.js';
import { logger, warn } from './log.js';
import { type GraceListener } from './socket/listener.js';

const log = logger('drain');

/** How long before the deadline the work that is left is told to end: a sixth of the whole time, and no more than this. */
const CLOSING_MS = 5_000;
const CLOSING_SHARE = 1 / 6;

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

/** Drains all listeners at the same time; docs/architecture.md gives the order of the steps and the reasons. */
export async function drain(plan: DrainPlan): Promise<DrainResult> {
  const { listeners, handedOver } = plan;
  const deadline = new Deadline(plan.timeout);
  const closing = setTimeout(plan.onClosing, plan.timeout - Math.min(CLOSING_MS, plan.timeout * CLOSING_SHARE));
  try {
    if (plan.delay > 0) await deadline.bound(pause(plan.delay));
    for (const listener of listeners) listener.beginDrain();
    const stopped = Promise.all(listeners.map((listener) => listener.stopAccepting(!handedOver.has(listener.fd))));
    const ended = stopped.then(() => {
      // Not earlier: a client that is told to leave would come back to this process.
      plan.onBegin();
      return Promise.all(listeners.map(hasEnded));
    });
    await deadline.bound(ended);
    const counts = listeners.map((listener): CutOff => {
      const { address, name } = listener;
      return { address, name, count: listener.cutOff() };
    });
    const failure = await deadline.runHook('onShutdown', plan.onShutdown).then(
      () => undefined,
      (error: unknown) => error,
    );
    const cutOff = counts.filter(({ count }) => count > 0);
    report({ cutOff, failure }, plan.timeout);
    return { cutOff, failure };
  } finally {
    clearTimeout(closing);
    deadline.clear();
  }
}

async function hasEnded(listener: GraceListener): Promise<void> {
  await listener.drained();
  log('%s has no connection left', listener.address);
}

function report({ cutOff, failure }: DrainResult, timeout: number): void {
  for (const { address, name, count } of cutOff) warn(`${name ?? address}: ${count} cut off after ${timeout} ms of draining`);
  if (failure !== undefined) warn(`onShutdown failed: ${failure instanceof Error ? failure.stack : String(failure)}`);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/**
 * An AbortSignal that is made when it is first asked for, as most programs never
 * do and it takes time to load.
 */
export class LateSignal {
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      // Each of ten thousand responses may wait for it; that is no leak.
      setMaxListeners(0, this.#controller.signal);
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  abort(message: string): void {
    this.#reason = new DOMException(message, 'AbortError');
    this.#controller?.abort(this.#reason);
  }
}
