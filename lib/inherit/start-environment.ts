import { readFileSync } from 'node:fs';
import { withoutPreload } from '../launch/preload-contract.js';
import { type Environment } from '../options.js';
import { NOTIFY_SOCKET, WATCHDOG_PID, WATCHDOG_USEC } from '../systemd/notify-variables.js';
import { PASSING_VARIABLES } from './environment.js';

/** What is meant for this process only. Node.js takes its own channel from a parent out of `process.env` too. */
const PRIVATE = [...PASSING_VARIABLES, NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID, 'NODE_CHANNEL_FD', 'NODE_CHANNEL_SERIALIZATION_MODE'];

/**
 * The environment that this process was started with, not what the program made
 * of it: dotenv and `--env-file` never change a variable that is set, so a changed
 * file would have no effect in a successor. Read when the library is loaded, as a
 * process that changes its user may not read its own file later.
 */
const atStart: Environment = readEnviron() ?? { ...process.env };

/**
 * The environment for a successor, without what was meant for this process only.
 *
 * @param added - each adds variables; undefined removes one.
 */
export function successorEnvironment(...added: readonly (Environment | undefined)[]): Record<string, string> {
  const all: Environment = Object.assign({}, atStart, ...added);
  const env: NodeJS.ProcessEnv = { ...all, NODE_OPTIONS: withoutPreload(all['NODE_OPTIONS']) };
  for (const name of PRIVATE) delete env[name];
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** proc(5): the environment at execve(2). Undefined if the system has no such file. */
function readEnviron(): Environment | undefined {
  try {
    return parseEnviron(readFileSync('/proc/self/environ', 'utf8'));
  } catch {
    return undefined;
  }
}

/** `name=value`, each with a NUL byte after it. getenv(3) takes the first of two. */
export function parseEnviron(text: string): Environment {
  const env: Record<string, string> = {};
  for (const entry of text.split('\0')) {
    const end = entry.indexOf('=');
    if (end > 0) env[entry.slice(0, end)] ??= entry.slice(end + 1);
  }
  return env;
}
