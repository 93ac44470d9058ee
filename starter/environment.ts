import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { GraceError, show } from '../lib/errors.js';

/** systemd's and other superdaemons' words to start_server itself, which are not for its workers. */
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

/** What may change while start_server runs, by way of a file in the envdir. Times in seconds. */
export interface Timing {
  readonly autoRestart: boolean;
  readonly autoRestartInterval: number;
  readonly killOldDelay: number;
}

const AUTO_RESTART_INTERVAL_S = 360;
const KILL_OLD_DELAY_WITH_AUTO_RESTART_S = 5;

/**
 * The environment of the workers: start_server's own, then what options set,
 * then the files of the envdir, which are read again at each start.
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

  /** @throws GraceError `OPTION_INVALID` for a variable that is no number. */
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

/** The first line of each file by its name; files that begin with a dot, empty and unreadable ones are skipped. */
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

/** Perl's truth, as Server::Starter reads the variable. */
function isTrue(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0';
}

function seconds(env: NodeJS.ProcessEnv, name: string): number | undefined {
  const value = env[name];
  if (value === undefined || value === '') return undefined;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new GraceError('OPTION_INVALID', `${name}=${show(value)} is no number of seconds`, { subject: name, value });
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
