import { GraceError, show } from '../errors.js';

/** The variables of sd_notify(3) and sd_watchdog_enabled(3). */
export const NOTIFY_SOCKET = 'NOTIFY_SOCKET';
export const WATCHDOG_USEC = 'WATCHDOG_USEC';
export const WATCHDOG_PID = 'WATCHDOG_PID';

const MICROSECONDS_PER_MILLISECOND = 1_000;

/** The values of `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`. */
export interface NotifyVariables {
  readonly socket: string;
  readonly watchdogUsec: string | undefined;
  readonly watchdogPid: string | undefined;
}

/**
 * Takes the variables out of an environment. A program that this process starts
 * would otherwise speak for the service, and could even become its main process.
 *
 * @returns undefined if there is no notify socket.
 */
export function takeNotifyVariables(env: NodeJS.ProcessEnv): NotifyVariables | undefined {
  const { [NOTIFY_SOCKET]: socket, [WATCHDOG_USEC]: watchdogUsec, [WATCHDOG_PID]: watchdogPid } = env;
  for (const variable of [NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID]) delete env[variable];
  return socket === undefined || socket === '' ? undefined : { socket, watchdogUsec, watchdogPid };
}

/**
 * How often systemd expects a sign of life, see sd_watchdog_enabled(3).
 *
 * @returns milliseconds; undefined if there is no watchdog, or it watches another process.
 * @throws GraceError `INHERITANCE_INVALID`
 */
export function watchdogTimeout({ watchdogUsec, watchdogPid }: NotifyVariables, self: number): number | undefined {
  // An empty value is how a unit or a shell turns a variable off.
  if (watchdogUsec === undefined || watchdogUsec === '') return undefined;
  if (watchdogPid !== undefined && watchdogPid !== '' && readPositive(WATCHDOG_PID, watchdogPid) !== self) return undefined;
  return readPositive(WATCHDOG_USEC, watchdogUsec) / MICROSECONDS_PER_MILLISECOND;
}

function readPositive(subject: string, value: string): number {
  const number = /^\d{1,19}$/.test(value) ? Number(value) : 0;
  if (number > 0) return number;
  throw new GraceError('INHERITANCE_INVALID', `${subject}=${show(value)} is not a whole number above 0`, { subject, value });
}
