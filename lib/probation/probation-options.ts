import { refuseUnknown } from '../check/names.js';
import { milliseconds } from '../check/numbers.js';

/** Times are in milliseconds. */
export interface ProbationOptions {
  /** How long the old process stands by after the hand-over. 0: not at all. Default 5 000. */
  readonly time?: number;
  /**
   * A new process whose event loop gives no sign of life for this time has failed,
   * and is killed; on Linux, the time in which it waits for a processor does not count. 0: never. Default 5 000. Off for a process with `--inspect`.
   */
  readonly hangTimeout?: number;
}

/** {@link ProbationOptions} with every default filled in. */
export type ProbationSettings = Required<ProbationOptions>;

const DEFAULT_TIME_MS = 5_000;
const DEFAULT_HANG_MS = 5_000;

/** @throws GraceError `OPTION_INVALID` */
export function readProbation(value: number | ProbationOptions = {}): ProbationSettings {
  const options = typeof value === 'object' && value !== null ? value : { time: value };
  refuseUnknown({
    options,
    where: 'probation',
    names: ['time', 'hangTimeout'] satisfies readonly (keyof ProbationOptions)[],
    prefix: 'probation.',
  });
  return {
    time: milliseconds(options === value ? 'probation.time' : 'probation', options.time, DEFAULT_TIME_MS),
    hangTimeout: milliseconds('probation.hangTimeout', options.hangTimeout, DEFAULT_HANG_MS),
  };
}
