import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GraceError, messageOf, show } from '../lib/errors.js';

/** Variables that systemd or another superdaemon sets for start_server itself; its workers do not get them. */
const OWN_VARIABLES = [
  'GRACE_HANDOFF',
  'LISTEN_FDS',
  'LISTEN_PID',
  'LISTEN_FDNAMES',
  'SERVER_STARTER_PORT',
  'SERVER_STARTER_GENERATION',
  'SERVER_STARTER_WORKER',
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
];

/** The options that a file in the envdir can change while start_server runs. Times in seconds. */
export interface Timing {
  readonly autoRestart: boolean;
  readonly autoRestartInterval: number;
  readonly killOldDelay: number;
}

const AUTO_RESTART_INTERVAL_S = 360;
const KILL_OLD_DELAY_WITH_AUTO_RESTART_S = 5;

/**
 * The environment of the workers: that of start_server, then what options set,
 * then the files of the envdir, which are read again at each start of a worker.
 */
export class Environment {
  readonly #base: NodeJS.ProcessEnv;

  constructor(own: NodeJS.ProcessEnv, fromOptions: NodeJS.ProcessEnv) {
    this.#base = { ...own, ...fromOptions };
    for (const name of OWN_VARIABLES) delete this.#base[name];
  }

  load(): NodeJS.ProcessEnv {
    return { ...this.#base, ...readEnvdir(this.#base['ENVDIR']) };
  }

  /** @throws GraceError `OPTION_INVALID` if a variable is not a number. */
  timing(): Timing {
    const env = this.load();
    const autoRestart = isTrue(env['ENABLE_AUTO_RESTART']);
    return {
      autoRestart,
      autoRestartInterval: seconds(env, 'AUTO_RESTART_INTERVAL') || AUTO_RESTART_INTERVAL_S,
      killOldDelay: seconds(env, 'KILL_OLD_DELAY') ?? (autoRestart ? KILL_OLD_DELAY_WITH_AUTO_RESTART_S : 0),
    };
  }
}

/**
 * Returns a function that reads the timing at each call. If a variable is then
 * invalid, it says so and returns the last valid timing.
 *
 * @throws GraceError `OPTION_INVALID` if a variable is invalid now.
 */
export function timingReader(environment: Environment, say: (message: string) => void): () => Timing {
  let timing = environment.timing();
  return () => {
    try {
      timing = environment.timing();
    } catch (error) {
      say(messageOf(error));
    }
    return timing;
  };
}

/** The first line of each file, by its name. Hidden, empty and unreadable files are skipped. */
export function readEnvdir(folder: string | undefined): Record<string, string> {
  if (folder === undefined || folder === '') return {};
  return Object.fromEntries(
    list(folder)
      .filter((name) => !name.startsWith('.'))
      .map((name) => [name, readText(join(folder, name))] as const)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [name, text.split('\n', 1)[0]!.replaceAll('\0', '')]),
  );
}

/** True as in Perl, in which Server::Starter is written. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

function seconds(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const value = env[name];
  if (value === undefined || value === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new GraceError('OPTION_INVALID', `${name}=${show(value)}, expected a number of seconds`, { subject: name, value });
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
