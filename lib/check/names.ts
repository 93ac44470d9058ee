import { GraceError } from '../errors.js';
import { nearest } from './nearest.js';

/** A place where options can be written. */
export interface Place {
  /** The names of its options. */
  readonly names: readonly string[];
  /** How a program writes one of them there. */
  readonly write: (name: string) => string;
}

/** Options that a program wrote, and where. */
export interface Written {
  /** Anything; what is not an object has no names, so it is not refused here. */
  readonly options: unknown;
  /** The place, as the message names it: `new App()`. */
  readonly where: string;
  /** The names that it may have there. */
  readonly names: readonly string[];
  /** In front of the name in the error's `subject`. Default: nothing. */
  readonly prefix?: string;
  /** Names that other libraries use, and the option that is meant by them. */
  readonly meant?: Readonly<Record<string, string>>;
}

/**
 * Refuses an option that does not exist, or that belongs to another place. The
 * message says what to write instead.
 *
 * @param others - where an option may belong instead.
 * @throws GraceError `OPTION_INVALID`
 */
export function refuseUnknown({ options, where, names, prefix = '', meant = {} }: Written, others: readonly Place[] = []): void {
  if (typeof options !== 'object' || options === null) return;
  const name = Object.keys(options).find((key) => !names.includes(key));
  if (name === undefined) return;
  throw new GraceError('OPTION_INVALID', `${where} has no option ${name}: ${advice(name, { names, meant }, others)}`, {
    subject: `${prefix}${name}`,
    value: (options as Readonly<Record<string, unknown>>)[name],
  });
}

/** A place that has the very name comes first, then a name that is close. */
function advice(name: string, { names, meant }: Required<Pick<Written, 'names' | 'meant'>>, others: readonly Place[]): string {
  const place = others.find((other) => other.names.includes(name));
  if (place !== undefined) return `it belongs elsewhere, write ${place.write(name)}`;
  const close = Object.hasOwn(meant, name) ? meant[name] : nearest(name, [...names, ...others.flatMap((other) => other.names)]);
  if (close === undefined) return `expected one of ${names.join(', ')}`;
  if (names.includes(close)) return `did you mean ${close}?`;
  const { write } = others.find((other) => other.names.includes(close))!;
  return `did you mean ${close}? That belongs elsewhere, write ${write(close)}`;
}
