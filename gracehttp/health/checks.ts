import { messageOf } from '../../lib/errors.js';
import { Deadline } from '../../lib/deadline.js';

/** Throws or rejects if something is wrong. The signal is aborted if the check takes too long. */
export type Check = (signal: AbortSignal) => unknown;

/** The result of one check, as `/readyz` shows it. */
export interface CheckResult {
  readonly ok: boolean;
  readonly milliseconds: number;
  readonly error?: string;
}

/** The checks of a program. */
export class Checks {
  readonly #checks: readonly (readonly [string, Check])[];
  readonly #timeout: number;
  readonly #running = new Map<string, Promise<CheckResult>>();

  /** @param timeout - in milliseconds, of each check. */
  constructor(checks: Readonly<Record<string, Check>>, timeout: number) {
    this.#checks = Object.entries(checks);
    this.#timeout = timeout;
  }

  /** Runs all checks at the same time. */
  async run(): Promise<{ readonly ok: boolean; readonly results: Readonly<Record<string, CheckResult>> }> {
    const results = await Promise.all(this.#checks.map(async ([name, check]) => [name, await this.#once(name, check)] as const));
    return { ok: results.every(([, { ok }]) => ok), results: Object.fromEntries(results) };
  }

  /** Requests that come during a run share it, so that a slow check is not run more often. */
  #once(name: string, check: Check): Promise<CheckResult> {
    let running = this.#running.get(name);
    if (running === undefined) {
      running = this.#run(check).finally(() => this.#running.delete(name));
      this.#running.set(name, running);
    }
    return running;
  }

  async #run(check: Check): Promise<CheckResult> {
    const begin = performance.now();
    const deadline = new Deadline(this.#timeout);
    const abort = new AbortController();
    const work = async (): Promise<void> => {
      await check(abort.signal);
    };
    let error: string | undefined;
    try {
      if ((await deadline.bound(work())) === 'passed') {
        error = `timed out after ${this.#timeout} ms`;
        abort.abort(new Error(error));
      }
    } catch (cause) {
      error = messageOf(cause);
    } finally {
      deadline.clear();
    }
    const milliseconds = Math.round(performance.now() - begin);
    return { ok: error === undefined, milliseconds, ...(error === undefined ? {} : { error }) };
  }
}
