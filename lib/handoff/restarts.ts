import { type Environment, environment } from '../check/environment.js';
import { refuseUnknown } from '../check/names.js';
import { milliseconds } from '../check/numbers.js';
import { Deadline, nextTurn } from '../deadline.js';
import { GraceError } from '../errors.js';
import { type State } from '../events.js';
import { logger } from '../log.js';
import { type Command, refuseUnrepeatable, successorCommand } from '../launch/command.js';
import { type Settings } from '../options.js';
import { type GraceListener } from '../socket/listener.js';
import { refuseUnsupported } from './refuse-restart.js';
import { PREDECESSOR_STOPS, asRestartError } from './restart-error.js';
import { Restarter } from './restarter.js';
import { type Successor } from './successor.js';

const log = logger('restart');

/** Options of one restart. */
export interface RestartOptions {
  /** Milliseconds until the successor has to be ready. Default is the option `restartTimeout`. */
  readonly timeout?: number;
  /** Variables that are added to those of the option `env`, for this restart; the successor passes them on. undefined removes one. Default: none. */
  readonly env?: Environment;
}

/** The process that is to be restarted. */
export interface Restartable {
  readonly settings: Settings;
  readonly state: State;
  readonly sockets: readonly GraceListener[];
  readonly superdaemon: number | undefined;
}

/** A successor that said it serves. */
export interface ServingSuccessor {
  readonly successor: Successor;
  readonly pid: number;
  /** The descriptors that it goes on serving. */
  readonly kept: ReadonlySet<number>;
}

/** What a successor is started with. */
export interface Launch {
  readonly command: Command;
  /** What is added to the environment that this process was started with. */
  readonly env: readonly Environment[];
  /** Milliseconds until the successor has to be ready. */
  readonly timeout: number;
  /** By which the two processes know each other. Made before the process is started: making the first one takes milliseconds. */
  readonly nonce: string;
}

/** The steps of a restart that only the process itself can do. */
export interface RestartSteps {
  /** A restart begins. */
  begin(): Promise<void>;
  /** Starts a successor. */
  start(launch: Launch): Successor;
  /** The successor serves; `again`: it has to restart once more. */
  handOver(serving: ServingSuccessor, again: boolean): void;
  failed(error: GraceError): Promise<void>;
}

/** The restarts of one process: refused, failed, or handed over. */
export class Restarts {
  readonly #process: Restartable;
  readonly #steps: RestartSteps;
  readonly #first: { readonly stays: boolean };
  readonly #restarter: Restarter<ServingSuccessor>;
  #starting: Successor | undefined;
  #timeout: number;
  #env: Environment = {};
  #failed = 0;

  /** @param first - whether this process stays after a restart, see Following. */
  constructor(process: Restartable, steps: RestartSteps, first: { readonly stays: boolean }) {
    this.#process = process;
    this.#steps = steps;
    this.#first = first;
    this.#timeout = process.settings.restartTimeout;
    this.#restarter = new Restarter(
      () => this.#attempt(),
      (serving, again) => {
        this.#starting = undefined;
        steps.handOver(serving, again);
      },
    );
  }

  /** How many have failed. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * @throws GraceError `RESTART_FAILED`, `RESTART_UNSUPPORTED`, `OPTION_INVALID`;
   * `STATE_INVALID` for `env` while a restart runs.
   */
  async request(options: RestartOptions): Promise<{ readonly pid: number }> {
    refuseUnknown({ options, where: 'restart()', names: ['timeout', 'env'] satisfies readonly (keyof RestartOptions)[] });
    const { timeout, env } = options;
    const { sockets, superdaemon, settings } = this.#process;
    refuseUnsupported({
      platform: process.platform,
      pid: process.pid,
      descriptors: sockets.map(({ fd }) => fd),
      superdaemon,
      follow: this.#first.stays,
    });
    if (settings.command === undefined) refuseUnrepeatable();
    const own = env === undefined ? {} : this.#ownVariables(env);
    this.#timeout = milliseconds('timeout', timeout, settings.restartTimeout);
    this.#env = own;
    const { pid } = await this.#restarter.request();
    return { pid };
  }

  /** This process stops: stops a successor that is starting, and drops a queued restart. */
  cancel(): void {
    this.#restarter.cancel();
    this.#starting?.stop(PREDECESSOR_STOPS, this.#process.settings.drainDelay);
  }

  /** Fulfils when a successor that was starting serves or is gone. */
  async settled(): Promise<void> {
    await this.#starting?.serving.catch(() => undefined);
  }

  /** The successor has failed after all: this process can restart again. */
  reset(): void {
    this.#restarter.reset();
  }

  /** Kills a successor that is starting, as this process exits now. */
  kill(): void {
    this.#starting?.kill();
  }

  async #attempt(): Promise<ServingSuccessor> {
    // Another request may come while this restart runs.
    const [own, timeout] = [this.#env, this.#timeout];
    this.#env = {};
    const { settings } = this.#process;
    const deadline = new Deadline(settings.drainTimeout);
    try {
      await this.#steps.begin();
      await deadline.runHook('beforeRestart', settings.beforeRestart);
      const launch = await this.#prepare(deadline, { own, timeout });
      // With thousands of connections the start of a process alone takes 10 ms, in which nothing is answered.
      await nextTurn();
      this.#refuseStopping();
      const successor = this.#steps.start(launch);
      this.#starting = successor;
      const kept = await successor.serving;
      return { successor, kept, pid: successor.pid! };
    } catch (cause) {
      const error = asRestartError(cause, this.#process.state === 'serving');
      this.#starting = undefined;
      this.#failed += 1;
      log('%s', error.message);
      await this.#steps.failed(error);
      throw error;
    } finally {
      deadline.clear();
    }
  }

  async #prepare(deadline: Deadline, { own, timeout }: { readonly own: Environment; readonly timeout: number }): Promise<Launch> {
    const { env, command } = this.#process.settings;
    const added: Environment[] = [];
    await deadline.runHook('env', async () => void added.push(await env()));
    return { command: await successorCommand(command), env: [...added, own], timeout, nonce: crypto.randomUUID() };
  }

  /** A queued restart may be done by the successor, which would not know these variables. */
  #ownVariables(env: Environment): Environment {
    if (this.#restarter.running) {
      const message = 'cannot restart with env while another restart runs: wait until it has ended';
      throw new GraceError('STATE_INVALID', message, { subject: 'env', value: env });
    }
    return environment('env', env);
  }

  #refuseStopping(): void {
    const { state } = this.#process;
    if (state === 'serving') return;
    throw new GraceError('RESTART_FAILED', 'restart given up, because this process stops', { subject: 'state', value: state });
  }
}
