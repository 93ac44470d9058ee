import {
  HANDOFF,
  LISTEN_FDNAMES,
  LISTEN_FDS,
  LISTEN_PID,
  NOTIFY_SOCKET,
  SERVER_STARTER_PORT,
  WATCHDOG_PID,
  WATCHDOG_USEC,
} from './protocol.js';

const VARIABLES = [HANDOFF, LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, SERVER_STARTER_PORT] as const;

/** The variables by which sockets are passed, as they stood when they were read. */
export type PassedVariables = Readonly<Partial<Record<(typeof VARIABLES)[number], string>>>;

/** What this process had before it was taken out. */
let known: PassedVariables = {};

/** The value that a variable had when it was taken; undefined where none was. */
export function takenVariable(name: (typeof VARIABLES)[number]): string | undefined {
  return known[name];
}

/**
 * Takes the variables out of an environment: what a process inherits is its
 * own, and a program that it starts must not take it for meant for itself.
 */
export function takeVariables(env: NodeJS.ProcessEnv): PassedVariables {
  const taken: Partial<Record<(typeof VARIABLES)[number], string>> = {};
  for (const variable of VARIABLES) {
    const value = env[variable];
    if (value === undefined) continue;
    taken[variable] = value;
    delete env[variable];
  }
  known = { ...known, ...taken };
  return taken;
}

/** The variables by which a service manager asks to be told of a service, as they stood when they were read. */
export interface NotifyVariables {
  readonly socket: string;
  readonly watchdogUsec: string | undefined;
  readonly watchdogPid: string | undefined;
}

/** Takes them out too: a program that this one starts would speak for the service, and could even become its main process. */
export function takeNotifyVariables(env: NodeJS.ProcessEnv): NotifyVariables | undefined {
  const { [NOTIFY_SOCKET]: socket, [WATCHDOG_USEC]: watchdogUsec, [WATCHDOG_PID]: watchdogPid } = env;
  for (const variable of [NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID]) delete env[variable];
  return socket === undefined || socket === '' ? undefined : { socket, watchdogUsec, watchdogPid };
}
