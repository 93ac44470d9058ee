import { GraceError, show } from '../errors.js';

/** The variables of sd_listen_fds(3). */
export const LISTEN_FDS = 'LISTEN_FDS';
export const LISTEN_PID = 'LISTEN_PID';
export const LISTEN_FDNAMES = 'LISTEN_FDNAMES';

/** sd_listen_fds(3): the first descriptor that systemd passes. */
export const LISTEN_FDS_START = 3;
/** The most descriptors that a process can have (default of the kernel's `nr_open`). Each one is checked later. */
const MAX_PASSED = 1_048_576;

/** The values of `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES`. */
export interface ListenVariables {
  readonly fds: string | undefined;
  readonly pid: string | undefined;
  readonly names: string | undefined;
}

/**
 * Reads which sockets systemd passed. As sd_listen_fds(3) says, the count in
 * `LISTEN_FDS` is only for the process whose pid is `LISTEN_PID`.
 *
 * @returns one name for each socket, undefined if systemd gave it no name.
 * @throws GraceError `INHERITANCE_INVALID`. A `LISTEN_FDS` that is not a number
 * is an error without `LISTEN_PID` too: somebody meant to pass sockets.
 */
export function parseListenVariables({ fds, pid: pidText, names }: ListenVariables, self: number): (string | undefined)[] {
  // An empty value is how a shell, a compose file or a unit turns a variable off.
  if (fds === undefined || fds === '') return [];
  const pid = pidText === '' ? undefined : pidText;
  if (pid !== undefined && readCount(LISTEN_PID, pid) !== self) return [];
  const count = readCount(LISTEN_FDS, fds);
  if (pid === undefined || count === 0) return [];
  if (names === undefined) return Array.from({ length: Math.min(count, MAX_PASSED) }, () => undefined);
  const list = names.split(':');
  if (list.length !== count) {
    throw new GraceError(
      'INHERITANCE_INVALID',
      `${LISTEN_FDNAMES}=${show(names)} has ${list.length} names, but ${LISTEN_FDS} says ${count} sockets`,
      { subject: LISTEN_FDNAMES, value: names },
    );
  }
  return list.map((name) => (name === 'unknown' || name === '' ? undefined : name));
}

function readCount(subject: string, value: string): number {
  if (/^\d{1,10}$/.test(value)) return Number(value);
  throw new GraceError('INHERITANCE_INVALID', `${subject}=${show(value)} is not a whole number`, { subject, value });
}
