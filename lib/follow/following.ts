import { type Successor } from '../handoff/successor.js';
import { type Carried } from '../inherit/carried.js';
import { type Settings } from '../options.js';
import { exit } from '../signals/exit.js';
import { forwardedSignals } from '../signals/meaning.js';
import { type SelfSent } from '../signals/self-sent.js';
import { FirstProcess } from './first-process.js';
import { LaterGeneration } from './later-generation.js';
import { LATE_SIGNAL, type SignalMessage, readSignalMessage } from './messages.js';

/** What decides whether the first process stays. */
export interface Watched {
  readonly pid: number;
  /** Whether systemd can be told another main process (`NOTIFY_SOCKET`). */
  readonly systemd: boolean;
}

/** Whether the first process stays after a restart: see the option `follow`. */
export function stays({ follow, exit, pidFile }: Pick<Settings, 'follow' | 'exit' | 'pidFile'>, { pid, systemd }: Watched): boolean {
  if (follow !== 'auto') return follow;
  if (!exit) return false;
  // A container ends with its PID 1, whatever else names the process that serves.
  return pid === 1 || (!systemd && pidFile === undefined);
}

/** The role of this process with the option `follow`: the first process, a later generation, or neither. */
export class Following {
  /** Whether this process stays after a restart, if it is the first one. */
  readonly stays: boolean;
  readonly #settings: Settings;
  readonly #selfSent: SelfSent;
  #first: FirstProcess | undefined;
  #later: LaterGeneration | undefined;

  constructor(settings: Settings, selfSent: SelfSent, watched: Watched) {
    this.stays = stays(settings, watched);
    this.#settings = settings;
    this.#selfSent = selfSent;
  }

  /** Whether this is the first process, and has handed over. */
  get isFirst(): boolean {
    return this.#first !== undefined;
  }

  /** Ends this process: the first one with the exit code of the last generation, when that is gone. */
  async exit(code: number): Promise<void> {
    if (this.#first !== undefined) return exit(await this.#first.ended);
    // After the microtasks, so that code that awaits wait() or stop() still runs.
    setImmediate(() => exit(code));
  }

  /** What a successor is started with, see SuccessorOptions. */
  descriptor(generation: number): 'pipe' | number | undefined {
    return this.stays && generation === 1 ? 'pipe' : this.#later?.fd;
  }

  /**
   * This process is ready, and is a later generation; see LaterGeneration.serve().
   * The generation before may pass on a signal that it read in its last moment.
   */
  join(fd: number, carried: Carried, onSignal: (message: SignalMessage) => void, onAlone: () => void): void {
    carried.hear(LATE_SIGNAL, (value) => {
      const message = readSignalMessage(value);
      if (message !== undefined) onSignal(message);
    });
    this.#later = new LaterGeneration(fd);
    this.#later.serve(onSignal, onAlone);
  }

  /** Passes on to the successor a signal that this process still read. */
  passOn(carried: Carried, message: Omit<SignalMessage, 'type'>): void {
    carried.tell(LATE_SIGNAL, { type: 'signal', ...message } satisfies SignalMessage);
  }

  /** The successor has failed, and this process serves again. */
  takeBack(): void {
    this.#first?.leave();
    this.#first = undefined;
    this.#later?.takeBack();
  }

  /** Another process serves from now on, which this one did not start. */
  giveBack(): void {
    this.#later?.handOver();
  }

  /** This process has handed over. */
  handOver(successor: Successor, pid: number): void {
    this.#later?.handOver();
    if (successor.followPipe === undefined) return;
    const first = { pid, exited: successor.exited() };
    this.#first = new FirstProcess(successor.followPipe, first, forwardedSignals(this.#settings.signals), this.#selfSent);
  }
}
