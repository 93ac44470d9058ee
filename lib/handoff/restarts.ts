import { Deadline } from '../deadline.js';
import { GraceError } from '../errors.js';
import { type State } from '../events.js';
import { logger } from '../log.js';
import { type Command, refuseUnrepeatable, successorCommand } from '../launch/command.js';
import { type Environment, type Settings, environment, milliseconds } from '../options.js';
import { type GraceListener } from '../socket/listener.js';
import { refuseUnsupported } from './refuse-restart.js';
import { asRestartError } from './restart-error.js';
import { Restarter } from './restarter.js';
import { type Successor } from './successor.js';

const log = logger('restart');

export interface RestartOptions {
  /** Milliseconds until the successor has to be ready. Default is the option `restartTimeout`. */
  readonly timeout?: number;
  /** Variables that are added to those of the option `env`, for this restart; the successor passes them on. undefined removes one. */
  readonly env?: Environment;
}

/** The process that is to be restarted. */
export interface Restartable {
  readonly settings: Settings;
  readonly state: State;
  readonly sockets: readonly GraceListener[];
  readonly superdaemon: number | undefined;
}

/** A successor that said it is ready. */
export interface ReadySuccessor {
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
}

/** The steps of a restart that only the process itself can do. */
export interface RestartSteps {
  /** A restart begins. */
  begin(): void;
  /** Starts a successor. */
  start(launch: Launch): Successor;
  /** The successor is ready; `again`: it has to restart once more. */
  handOver(ready: ReadySuccessor, again: boolean): void;
  failed(error: GraceError): void;
}

/** The restarts of one process: refused, failed, or handed over. */
export class Restarts {
  readonly #process: Restartable;
  readonly #steps: RestartSteps;
  readonly #restarter: Restarter<ReadySuccessor>;
  #starting: Successor | undefined;
  #timeout: number;
  #env: Environment = {};
  #failed = 0;

  constructor(process: Restartable, steps: RestartSteps) {
    this.#process = process;
    this.#steps = steps;
    this.#timeout = process.settings.restartTimeout;
    this.#restarter = new Restarter(
      () => this.#attempt(),
      (ready, again) => {
        this.#starting = undefined;
        steps.handOver(ready, again);
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
  async request({ timeout, env }: RestartOptions): Promise<{ readonly pid: number }> {
    const { sockets, superdaemon, settings } = this.#process;
    refuseUnsupported({
      platform: process.platform,
      pid: process.pid,
      descriptors: sockets.map(({ fd }) => fd),
      superdaemon,
      follow: settings.follow,
    });
    if (settings.command === undefined) refuseUnrepeatable();
    if (env !== undefined) this.#env = this.#ownVariables(env);
    this.#timeout = milliseconds('timeout', timeout, settings.restartTimeout);
    const { pid } = await this.#restarter.request();
    return { pid };
  }

  /** This process stops: stops a successor that is starting, and drops a queued restart. */
  cancel(): void {
    this.#restarter.cancel();
    this.#starting?.stop('was stopped, because this process stops');
  }

  /** Fulfils when a successor that was starting is ready or gone. */
  async settled(): Promise<void> {
    await this.#starting?.ready.catch(() => undefined);
  }

  /** Kills a successor that is starting, as this process exits now. */
  kill(): void {
    this.#starting?.kill();
  }

  async #attempt(): Promise<ReadySuccessor> {
    const own = this.#env;
    this.#env = {};
    this.#steps.begin();
    const { settings } = this.#process;
    const deadline = new Deadline(settings.drainTimeout);
    try {
      await deadline.runHook('beforeRestart', settings.beforeRestart);
      const launch = await this.#prepare(deadline, own);
      this.#refuseStopping();
      const successor = this.#steps.start(launch);
      this.#starting = successor;
      const kept = await successor.ready;
      return { successor, kept, pid: successor.pid! };
    } catch (cause) {
      const error = asRestartError(cause);
      this.#starting = undefined;
      this.#failed += 1;
      log('%s', error.message);
      this.#steps.failed(error);
      throw error;
    } finally {
      deadline.clear();
    }
  }

  async #prepare(deadline: Deadline, own: Environment): Promise<Launch> {
    const { env, command } = this.#process.settings;
    const added: Environment[] = [];
    await deadline.runHook('env', async () => void added.push(await env()));
    return { command: await successorCommand(command), env: [...added, own], timeout: this.#timeout };
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
    throw new GraceError('RESTART_FAILED', 'restart failed: this process stops', { subject: 'state', value: state });
  }
}
