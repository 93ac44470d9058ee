import { refuseUnknown } from '../check/names.js';
import { invalid, milliseconds, wholeNumber } from '../check/numbers.js';

/** When a process restarts itself. Times are in milliseconds, 0 turns a limit off; at least one limit has to be given. */
export interface RecycleOptions {
  /** Resident memory, in bytes. Default 0: off. */
  readonly rss?: number;
  /** Time since the process serves. Default 0: off. */
  readonly age?: number;
  /** Mean delay of the event loop over `interval`. Default 0: off. */
  readonly eventLoopDelay?: number;
  /** Each process adds up to this share of `age`, at random, so that not all machines restart at once: 0 to 1. Default 0.1. */
  readonly jitter?: number;
  /** The shortest time between two such restarts, also failed ones, and from the start of the process to the first. Default 60 000. */
  readonly minInterval?: number;
  /** How often it looks. Default 1 000. */
  readonly interval?: number;
}

/** {@link RecycleOptions} with every default filled in. */
export type RecycleSettings = Required<RecycleOptions>;

const NAMES = ['rss', 'age', 'eventLoopDelay', 'jitter', 'minInterval', 'interval'] satisfies readonly (keyof RecycleOptions)[];
const DEFAULT_JITTER = 0.1;
const DEFAULT_MIN_INTERVAL_MS = 60_000;
const DEFAULT_INTERVAL_MS = 1_000;
const SHORTEST_INTERVAL_MS = 10;
const LONGEST_INTERVAL_MS = 3_600_000;

/** @throws GraceError `OPTION_INVALID` */
export function readRecycle(options: RecycleOptions | undefined): RecycleSettings | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) throw invalid('recycle', options, 'an object');
  refuseUnknown({ options, where: 'recycle', names: NAMES, prefix: 'recycle.' });
  const { jitter = DEFAULT_JITTER } = options;
  if (typeof jitter !== 'number' || !(jitter >= 0 && jitter <= 1)) throw invalid('recycle.jitter', jitter, 'a number from 0 to 1');
  const settings: RecycleSettings = {
    rss: wholeNumber('recycle.rss', options.rss, 0, Number.MAX_SAFE_INTEGER) ?? 0,
    age: milliseconds('recycle.age', options.age, 0),
    eventLoopDelay: milliseconds('recycle.eventLoopDelay', options.eventLoopDelay, 0),
    jitter,
    minInterval: milliseconds('recycle.minInterval', options.minInterval, DEFAULT_MIN_INTERVAL_MS),
    interval: wholeNumber('recycle.interval', options.interval, SHORTEST_INTERVAL_MS, LONGEST_INTERVAL_MS) ?? DEFAULT_INTERVAL_MS,
  };
  if (settings.rss + settings.age + settings.eventLoopDelay === 0) throw invalid('recycle', options, 'rss, age or eventLoopDelay');
  return settings;
}
