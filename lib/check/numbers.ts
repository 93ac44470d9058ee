import { GraceError, show } from '../errors.js';

/** The longest time of setTimeout(): a signed 32-bit number of milliseconds, 24.8 days. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** @throws GraceError `OPTION_INVALID` */
export function milliseconds(name: string, value: number | undefined, otherwise: number): number {
  return wholeNumber(name, value, 0, MAX_TIMEOUT_MS, 'a whole number of milliseconds') ?? otherwise;
}

/** @throws GraceError `OPTION_INVALID` */
export function wholeNumber(
  name: string,
  value: number | undefined,
  min: number,
  max: number,
  kind = 'a whole number',
): number | undefined {
  if (value === undefined || (Number.isInteger(value) && value >= min && value <= max)) return value;
  throw invalid(name, value, `${kind} from ${min} to ${max}`);
}

/** The error for the value of an option. */
export function invalid(subject: string, value: unknown, expected: string): GraceError {
  return new GraceError('OPTION_INVALID', `the option ${subject} is ${show(value)}, expected ${expected}`, { subject, value });
}
