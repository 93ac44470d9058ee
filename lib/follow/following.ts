import { type Successor } from '../handoff/successor.js';
import { type Settings } from '../options.js';
import { forwardedSignals } from '../signals.js';
import { FirstProcess } from './first-process.js';
import { LaterGeneration } from './later-generation.js';

/** The part of this process in the option `follow`: the first process, a later generation, or neither. */
export class Following {
  readonly #settings: Settings;
  #first: FirstProcess | undefined;
  #later: LaterGeneration | undefined;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Whether this is the first process, and has handed over. */
  get isFirst(): boolean {
    return this.#first !== undefined;
  }

  /** In the first process after the hand-over: the exit code of the last generation, when it is gone. */
  get ended(): Promise<number> | undefined {
    return this.#first?.ended;
  }

  /** What a successor is started with, see SuccessorOptions. */
  descriptor(generation: number): 'pipe' | number | undefined {
    return this.#settings.follow && generation === 1 ? 'pipe' : this.#later?.fd;
  }

  /** This process is ready, and is a later generation; see LaterGeneration.serve(). */
  join(fd: number, onSignal: (signal: NodeJS.Signals) => void, onAlone: () => void): void {
    this.#later = new LaterGeneration(fd);
    this.#later.serve(onSignal, onAlone);
  }

  /** This process has handed over. */
  handOver(successor: Successor, pid: number): void {
    this.#later?.handOver();
    if (successor.followPipe === undefined) return;
    const first = { pid, exited: successor.exited() };
    this.#first = new FirstProcess(successor.followPipe, first, forwardedSignals(this.#settings.signals));
  }
}
