import { refuseUnknown } from '../check/names.js';
import { invalid, wholeNumber } from '../check/numbers.js';
import { GraceError, messageOf, show } from '../errors.js';
import { type Carried } from '../inherit/carried.js';
import { logger } from '../log.js';
import { onSignals } from '../on-signals.js';
import { type SignalOptions } from '../options.js';
import { Newcomer } from './newcomer.js';
import { PROBATION, type Terms } from './messages.js';
import { type ProbationSettings } from './probation-options.js';
import { Standby, type StandbyOptions } from './standby.js';

const log = logger('probation');

const CHECK_EVERY_MS = 500;
const LONGEST_CHECK_MS = 3_600_000;

/** What a probation needs to know of the process that it is part of. */
export interface Host {
  readonly carried: Carried;
  readonly settings: { readonly probation: ProbationSettings; readonly signals: Required<SignalOptions> };
  /** The previous process accepts again: this one drains. */
  giveBack(): void;
}

/**
 * The probation of a new process: for a while after the hand-over, the old one
 * stands by and serves again if the new one fails.
 *
 * @example
 * import { App } from 'ts-grace/gracehttp';
 *
 * const app = new App({ probation: 10_000 });
 * app.probation.healthy(async () => {
 *   // For example a query. If it throws, rejects or returns false, the restart is taken back.
 * });
 * await app.serve({ handler: (request, response) => response.end('hello\n'), listen: ':8080' });
 */
export class Probation {
  /** @internal */
  readonly removeHandlers: () => void;
  readonly #host: Host;
  readonly #terms: Terms;
  readonly #stopChecks = new Set<() => void>();
  #newcomer: Newcomer | undefined;
  #standby: Standby | undefined;

  /** @internal */
  constructor(host: Host) {
    this.#host = host;
    const { time, hangTimeout } = host.settings.probation;
    // A debugger stops a process for minutes.
    const debugged = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].some((options) => options.includes('--inspect'));
    this.#terms = { time, hang: debugged ? 0 : hangTimeout };
    host.carried.leave(PROBATION, () => this.#terms);
    this.removeHandlers = onSignals(host.settings.signals.revert, (signal) => void this.fail(signal));
  }

  /** Whether this process is on probation, or stands by for its successor. */
  get active(): boolean {
    return this.#newcomer?.active === true || this.standby !== undefined;
  }

  /**
   * Says that this process is broken: the previous one serves again, and this one
   * drains and exits. In the previous process, takes the restart back.
   *
   * @param reason - for the message and the event `restart-reverted`.
   * @returns whether the previous process serves again; false if there is no probation, or none any more.
   */
  async fail(reason: string): Promise<boolean> {
    const { standby } = this;
    if (standby !== undefined) return standby.revert(String(reason));
    return (await this.#newcomer?.fail(String(reason))) === true;
  }

  /**
   * Checks again and again, while this process is on probation, whether it works.
   * If the check throws, rejects or returns false, the restart is taken back as by {@link fail}.
   * Call it before or after `serve()`; without probation it does nothing.
   *
   * @param options - `every`: milliseconds between two checks, default 500.
   * @returns a function that ends the checks.
   * @throws GraceError `OPTION_INVALID`
   */
  healthy(check: () => unknown, options: { readonly every?: number } = {}): () => void {
    if (typeof options !== 'object' || options === null) throw invalid('options', options, 'an object');
    refuseUnknown({ options, where: 'healthy()', names: ['every'] });
    if (typeof check !== 'function') {
      throw new GraceError('OPTION_INVALID', `the check is ${show(check)}, expected a function`, { subject: 'check', value: check });
    }
    const every = wholeNumber('every', options.every, 1, LONGEST_CHECK_MS) ?? CHECK_EVERY_MS;
    let running = false;
    const look = async (): Promise<void> => {
      if (running || this.#newcomer?.active !== true) return;
      running = true;
      const failure = await failureOf(check);
      running = false;
      if (failure === undefined || !this.#stopChecks.has(stop)) return;
      stop();
      log('a check failed: %s', failure);
      await this.fail(failure);
    };
    const timer = setInterval(() => void look(), every).unref();
    const stop = (): void => {
      clearInterval(timer);
      this.#stopChecks.delete(stop);
    };
    this.#stopChecks.add(stop);
    return stop;
  }

  /** @internal There in the old process while it may have to serve again. */
  get standby(): Standby | undefined {
    return this.#standby?.active === true ? this.#standby : undefined;
  }

  /** @internal Fulfils with true when a process that has handed over is not needed any more, with false when it has to serve again. */
  get proven(): Promise<boolean> {
    return this.#standby?.proven ?? Promise.resolve(true);
  }

  /** @internal What a successor is told in its greeting. */
  get terms(): Terms {
    return this.#terms;
  }

  /** @internal This process serves, as the successor of another one, or as the first. */
  begin(): void {
    const { carried } = this.#host;
    const over = (): void => {
      this.#stopChecks.forEach((stop) => stop());
      carried.predecessor?.stopReporting();
    };
    this.#newcomer = Newcomer.begin(carried, () => this.#host.giveBack(), over);
    if (this.#newcomer === undefined) over();
  }

  /** @internal This process has handed over. Undefined without probation. */
  stand(options: Omit<StandbyOptions, 'terms' | 'carried'>): Standby | undefined {
    if (this.#terms.time === 0) return undefined;
    this.#standby = new Standby({ ...options, terms: this.#terms, carried: this.#host.carried });
    return this.#standby;
  }

  /** @internal This process stops, or restarts: the previous one is not needed, and neither is this one by its successor. */
  async end(): Promise<void> {
    this.#standby?.end();
    await this.#newcomer?.dismiss();
  }
}

/** Why a check has failed; undefined if it has not. */
async function failureOf(check: () => unknown): Promise<string | undefined> {
  try {
    return (await check()) === false ? 'its check returned false' : undefined;
  } catch (error) {
    return `its check failed: ${messageOf(error)}`;
  }
}
