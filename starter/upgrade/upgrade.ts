import { messageOf } from '../../lib/errors.js';
import { type PidLock } from '../control/pid-lock.js';
import { type SystemdNotify } from '../control/systemd-notify.js';
import { type LogOutput } from '../log/log-output.js';
import { sendSignal } from '../process/managed-process.js';
import { type HeldSocket } from '../sockets/held-socket.js';
import { type Superdaemon } from '../workers/superdaemon.js';
import { PassedDescriptors } from './passed-descriptors.js';
import { UpgradeSuccessor } from './successor.js';

export interface UpgradeOptions {
  readonly superdaemon: Superdaemon;
  readonly sockets: readonly HeldSocket[];
  readonly lock: PidLock | undefined;
  readonly output: LogOutput;
  readonly systemd: SystemdNotify;
  /** The files and the workers belong to another process now. */
  readonly onReplaced: () => void;
}

/** Replaces this start_server by a new one, which takes over the sockets, the workers, the log and the files. */
export class Upgrade {
  readonly #options: UpgradeOptions;
  #running = false;
  #successor: UpgradeSuccessor | undefined;
  /** From `yours` on, signals that this process gets are meant for the new one. */
  #committed = false;
  #waiting: NodeJS.Signals[] = [];

  constructor(options: UpgradeOptions) {
    this.#options = options;
  }

  /** Starts an upgrade, which follows a deploy that is running. Does nothing if one runs. */
  request(): void {
    if (this.#running || this.#options.superdaemon.stopping) return;
    this.#running = true;
    void this.#run().finally(() => {
      this.#running = false;
    });
  }

  /**
   * A signal has arrived.
   *
   * @returns whether it is passed on to the new start_server.
   */
  takes(signal: NodeJS.Signals): boolean {
    if (this.#committed) this.#waiting.push(signal);
    else if (signal !== 'SIGHUP') this.#successor?.giveUp('start_server was told to stop');
    return this.#committed;
  }

  async #run(): Promise<void> {
    const { superdaemon, output, systemd, lock, onReplaced } = this.#options;
    output.say('received USR2, replacing start_server itself');
    const failure = this.#refusal() ?? (await this.#replace().catch(messageOf));
    if (failure === undefined) {
      output.say(`start_server (pid:${this.#successor?.pid}) has taken over`);
      for (const signal of this.#waiting) sendSignal(this.#successor!.pid!, signal);
      onReplaced();
      return;
    }
    const wasCommitted = this.#committed;
    this.#committed = false;
    this.#successor = undefined;
    if (wasCommitted) {
      lock?.claim();
      await systemd.takeOver();
    }
    output.say(`start_server was not replaced: ${failure}`);
    superdaemon.unfreeze(failure);
    for (const signal of this.#waiting.splice(0)) process.emit(signal, signal);
  }

  /** What watches the first pid, such as a supervisor, would see it exit. */
  #refusal(): string | undefined {
    const { lock, systemd } = this.#options;
    if (lock !== undefined || systemd.listens) return undefined;
    return 'without --pid-file and Type=notify, nobody would learn that another process is start_server now';
  }

  async #replace(): Promise<string | undefined> {
    const { superdaemon, sockets, lock, output } = this.#options;
    await superdaemon.freeze();
    if (superdaemon.stopping) return 'start_server was told to stop';
    const { workers } = superdaemon.snapshot();
    const passed = new PassedDescriptors({ sockets, lock: lock?.fd, log: output.handover, workers });
    this.#successor = await UpgradeSuccessor.start(passed);
    return this.#successor.serves(() => {
      this.#committed = true;
      return passed.yours(superdaemon.handOver());
    });
  }
}
