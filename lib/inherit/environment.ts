import { HANDOFF } from '../handoff/handoff-variable.js';
import { LISTEN_FDNAMES, LISTEN_FDS, LISTEN_PID } from '../systemd/listen-variables.js';
import { processState } from './process-state.js';
import { SERVER_STARTER_PORT } from './server-starter.js';

/** The variables that pass sockets. */
export const PASSING_VARIABLES = [HANDOFF, LISTEN_FDS, LISTEN_PID, LISTEN_FDNAMES, SERVER_STARTER_PORT] as const;

/**
 * Takes the variables that pass sockets out of an environment: a program that
 * this process starts must not take them as meant for itself.
 */
export function takeVariables(env: NodeJS.ProcessEnv): void {
  const taken: Record<string, string> = {};
  for (const variable of PASSING_VARIABLES) {
    const value = env[variable];
    if (value === undefined) continue;
    taken[variable] = value;
    delete env[variable];
  }
  processState.variables = { ...processState.variables, ...taken };
}

/** The value that a variable had when it was taken; undefined if it was not set. */
export function takenVariable(name: (typeof PASSING_VARIABLES)[number]): string | undefined {
  return processState.variables[name];
}
