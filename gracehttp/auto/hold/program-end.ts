import { sleep } from '../../../lib/deadline.js';
import { warn } from '../../../lib/log.js';
import { type DrainReason } from '../../../lib/events.js';
import { exitCodeOf } from '../../../lib/on-signals.js';
import { programHandlers } from './signals.js';

/** How long a drained process waits for a program whose handlers return no promise to ask for its exit. */
const ASKS_WITHIN_MS = 2_000;
/** The hooks of a drain have this long in any case. */
const SHUTDOWN_MIN_MS = 1_000;
/** A handler may take longer than the hook may. Then this process stops waiting for it just before, so the hook does not fail. */
const BEFORE_DEADLINE_MS = 50;

/** What the program itself does when its process ends: its own handlers of signals, and `process.exit()`. */
export class ProgramEnd {
  #code: number | undefined;
  #onAsked: () => void = () => undefined;
  readonly #asked: Promise<void>;
  readonly #running: Promise<unknown>[] = [];

  readonly #drainTimeout: () => number;
  #began = 0;
  #ran = false;
  #signal: NodeJS.Signals = 'SIGTERM';

  /** @param drainTimeout - milliseconds for a drain. */
  constructor(drainTimeout: () => number) {
    this.#drainTimeout = drainTimeout;
    this.#asked = new Promise((done) => {
      this.#onAsked = done;
    });
  }

  /** The drain begins, as by this signal. */
  begin(signal: NodeJS.Signals): void {
    this.#began = performance.now();
    this.#signal = signal;
  }

  /** The program asked to exit. The first code counts; 143 at SIGTERM, as Next.js asks for, is 0, as if the program had sent the signal to itself. */
  ask(code: number): void {
    this.#code ??= code === exitCodeOf(this.#signal) ? 0 : code;
    this.#onAsked();
  }

  /** The exit code: what the program asked for, or that of the drain. */
  codeFor(code: number, reason: DrainReason | undefined): number {
    // More than 1 is the code of a second signal, or of another generation.
    if (code > 1 || reason !== 'stop') return code;
    return (this.#code ?? Number(process.exitCode ?? 0)) || code;
  }

  /** Runs the program's handlers of a signal, once. What one throws is an uncaught exception, as always. */
  run(signal: NodeJS.Signals): void {
    if (this.#ran) return;
    this.#ran = true;
    const { signals } = process.getBuiltinModule('node:os').constants;
    for (const handler of programHandlers(signal)) {
      try {
        const result = Reflect.apply(handler, process, [signal, signals[signal]]);
        this.#running.push(Promise.resolve(result).catch((error: unknown) => warn(`a handler of ${signal} failed: ${describe(error)}`)));
      } catch (error) {
        process.nextTick(() => {
          throw error;
        });
      }
    }
  }

  /**
   * Fulfils when the program's handlers are done. A handler that works with
   * callbacks is done when it asks for the exit.
   */
  async done(): Promise<void> {
    this.run(this.#signal);
    if (this.#running.length === 0) return;
    const left = this.#drainTimeout() - (performance.now() - this.#began);
    const limit = Math.max(left, SHUTDOWN_MIN_MS) - BEFORE_DEADLINE_MS;
    const end = performance.now() + limit;
    await Promise.race([Promise.all(this.#running), this.#asked, sleep(limit)]);
    await Promise.race([this.#asked, sleep(Math.min(ASKS_WITHIN_MS, end - performance.now()))]);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
